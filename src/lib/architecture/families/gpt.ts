import { tuple } from '#lib/checkpoint/value.ts';
import { Customs } from './customs.ts';
import { int, type Family } from './family.ts';
import source from './gpt.py?raw';

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
    const custom = new Customs(hints);
    if (!shapes.has(`${prefix}wte.weight`, `${prefix}wpe.weight`, `${first}attn.c_attn.weight`))
      return [];
    custom.expect('model_type', /gpt/, 'a model of type');
    if (scalesOtherwise(custom)) custom.refuse('attention scores that are scaled otherwise');
    const [vocabulary = 0, width = 0] = shapes.of(`${prefix}wte.weight`);
    const turned = shapes.size(`${first}attn.c_attn.weight`, 0) === width;
    const masks = ['bias', 'masked_bias'].filter((name) => shapes.has(`${first}attn.${name}`));
    const isMinGpt = !turned && masks.includes('bias');
    const act = custom.activation(
      ['activation_function'],
      turned || isMinGpt ? 'gelu_new' : 'gelu',
    );
    const depth = shapes.count(`${prefix}h.`);
    const title = turned ? 'GPT-2' : isMinGpt ? 'minGPT' : 'nanoGPT';
    // Published files of GPT-2 leave its head out, which is the embedding's table.
    const writes = custom.architecture !== 'GPT2Model';
    const head = 'lm_head.weight';
    const args = {
      turned,
      biased: shapes.has(`${first}attn.c_attn.bias`),
      act,
      eps: custom.number('eps', ['layer_norm_epsilon'], 1e-5, 'eps 1e-5 in LayerNorm'),
      masks: tuple(...masks),
      ...(hasHead
        ? { tied: shapes.areOne('transformer.wte.weight', head), kept: shapes.has(head) }
        : { writes }),
      ...int({
        vocabulary,
        context: shapes.size(`${prefix}wpe.weight`, 0),
        width,
        depth,
        heads: custom.heads(width, ['n_head', 'num_attention_heads', 'num_heads'], 64),
        hidden: shapes.size(`${first}mlp.c_fc.weight`, turned ? 1 : 0),
      }),
    };
    if (!hasHead && writes) custom.assume('a head that is the table of the embedding');
    return [
      {
        title: `${title}, ${depth} layers of ${width}`,
        model: hasHead ? 'GPT2LanguageModel' : 'GPT2',
        args,
        ...custom.reading,
      },
    ];
  },
};

/** Two options of transformers' GPT-2 that no published model uses. */
function scalesOtherwise(custom: Customs): boolean {
  return (
    custom.says('scale_attn_by_inverse_layer_idx', true) || custom.says('scale_attn_weights', false)
  );
}
