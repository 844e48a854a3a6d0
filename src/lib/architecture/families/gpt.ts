import { tuple } from '#lib/checkpoint/value.ts';
import { int, type Family } from './family.ts';
import source from './gpt.py?raw';
import { headsOf } from './heads.ts';

/**
 * GPT-2 of transformers (weights lie inputs first, GELU by tanh), nanoGPT (outputs first, exact GELU)
 * and minGPT (outputs first, GELU by tanh, masks in the file, a head of its own).
 */
export const gpt: Family = {
  name: 'gpt',
  source,
  propose(shapes, hints) {
    const hasHead = shapes.has('transformer.wte.weight');
    const prefix = hasHead ? 'transformer.' : '';
    const first = `${prefix}h.0.`;
    if (!shapes.has(`${prefix}wte.weight`, `${prefix}wpe.weight`, `${first}attn.c_attn.weight`))
      return [];
    const [vocabulary = 0, width = 0] = shapes.of(`${prefix}wte.weight`);
    const context = shapes.size(`${prefix}wpe.weight`, 0);
    const turned = shapes.size(`${first}attn.c_attn.weight`, 0) === width;
    const biased = shapes.has(`${first}attn.c_attn.bias`);
    const masks = ['bias', 'masked_bias'].filter((name) => shapes.has(`${first}attn.${name}`));
    const isMinGpt = !turned && masks.includes('bias');
    const heads = headsOf(width, hints, ['n_head', 'num_attention_heads', 'num_heads'], 64);
    const depth = shapes.count(`${prefix}h.`);
    const title = turned ? 'GPT-2' : isMinGpt ? 'minGPT' : 'nanoGPT';
    return [
      {
        title: `${title}, ${depth} layers of ${width}`,
        model: hasHead ? 'GPT2LanguageModel' : 'GPT2',
        args: {
          turned,
          biased,
          approximate: turned || isMinGpt ? 'tanh' : 'none',
          masks: tuple(...masks),
          ...(hasHead ? { tied: !isMinGpt } : {}),
          ...int({
            vocabulary,
            context,
            width,
            depth,
            heads: heads.count,
            hidden: shapes.size(`${first}mlp.c_fc.weight`, turned ? 1 : 0),
          }),
        },
        assumed: heads.assumed,
      },
    ];
  },
};
