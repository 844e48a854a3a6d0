import type { Value } from '#lib/checkpoint/value.ts';
import { int, type Family, type Hints, type Proposal, type Shapes } from './family.ts';
import { headsOf } from './heads.ts';
import source from './llama.py?raw';

export const llama: Family = {
  name: 'llama',
  source,
  propose: (shapes, hints) => [...transformers(shapes, hints), ...own(shapes, hints)],
};

/** LlamaForCausalLM and LlamaModel of transformers. */
function transformers(shapes: Shapes, hints: Hints): Proposal[] {
  const hasHead = shapes.has('model.embed_tokens.weight');
  const prefix = hasHead ? 'model.' : '';
  const first = `${prefix}layers.0.`;
  if (!shapes.has(`${prefix}embed_tokens.weight`, `${first}mlp.gate_proj.weight`)) return [];
  const [vocabulary = 0, width = 0] = shapes.of(`${prefix}embed_tokens.weight`);
  const attention = attentionOf(shapes, hints, width, `${first}self_attn.k_proj.weight`);
  return [
    {
      title: `Llama, ${shapes.count(`${prefix}layers.`)} layers of ${width}`,
      model: hasHead ? 'HFLlamaLanguageModel' : 'HFLlama',
      args: {
        ...(hasHead ? { tied: !shapes.has('lm_head.weight') } : {}),
        biased: shapes.has(`${first}self_attn.q_proj.bias`),
        ...int({
          vocabulary,
          width,
          depth: shapes.count(`${prefix}layers.`),
          hidden: shapes.size(`${first}mlp.gate_proj.weight`, 0),
        }),
        ...attention.args,
        ...known(hints, { theta: ['rope_theta'], eps: ['rms_norm_eps'] }),
      },
      assumed: [...attention.assumed, ...missing(hints, 'rope_theta', 'rms_norm_eps')],
    },
  ];
}

/** Meta's own names, and llama2.c's. */
function own(shapes: Shapes, hints: Hints): Proposal[] {
  const first = 'layers.0.';
  if (!shapes.has('tok_embeddings.weight', `${first}attention.wq.weight`, 'norm.weight')) return [];
  const [vocabulary = 0, width = 0] = shapes.of('tok_embeddings.weight');
  const attention = attentionOf(shapes, hints, width, `${first}attention.wk.weight`);
  return [true, false].map((tied) => ({
    title: `Llama, ${shapes.count('layers.')} layers of ${width}`,
    model: 'Llama',
    args: {
      tied,
      ...int({
        vocabulary,
        width,
        depth: shapes.count('layers.'),
        hidden: shapes.size(`${first}feed_forward.w1.weight`, 0),
      }),
      ...attention.args,
      ...known(hints, { theta: ['rope_theta'], eps: ['norm_eps'] }),
    },
    assumed: attention.assumed,
  }));
}

/** Heads and groups; the key's rows give the groups once the size of a head is known. */
function attentionOf(shapes: Shapes, hints: Hints, width: number, key: string) {
  const perHead = width >= 2048 ? 128 : 64;
  const heads = headsOf(width, hints, ['num_attention_heads', 'n_heads', 'n_head'], perHead);
  const groups = shapes.size(key, 0) / (width / heads.count);
  return {
    args: int({ heads: heads.count, groups: Number.isInteger(groups) ? groups : heads.count }),
    assumed: heads.assumed,
  };
}

/** Arguments that the configuration gives, by the names that they have there. */
function known(
  hints: Hints,
  names: Readonly<Record<string, readonly string[]>>,
): Record<string, Value> {
  const found = Object.entries(names).flatMap(([argument, keys]) => {
    const key = keys.find((name) => hints.has(name));
    return key === undefined ? [] : [[argument, Number(hints.get(key))] as const];
  });
  return Object.fromEntries(found);
}

function missing(hints: Hints, ...names: readonly string[]): string[] {
  const usual: Readonly<Record<string, string>> = {
    rope_theta: 'RoPE with theta 10000',
    rms_norm_eps: 'RMSNorm with eps 1e-6',
  };
  return names.filter((name) => !hints.has(name)).map((name) => usual[name]!);
}
