import { isDict } from '#lib/checkpoint/value.ts';
import { Customs } from './customs.ts';
import { int, type Family, type Hints, type Proposal, type Shapes } from './family.ts';
import source from './llama.py?raw';

export const llama: Family = {
  name: 'llama',
  source,
  propose: (shapes, hints) => [...transformers(shapes, hints), ...own(shapes, hints)],
};

/** Kinds of model, by the configuration, that compute what Llama does; Gemma, say, does not. */
const KINDS = /^(llama|mistral|qwen2)$/;

/** LlamaForCausalLM and LlamaModel of transformers, and those that differ in biases alone. */
function transformers(shapes: Shapes, hints: Hints): Proposal[] {
  const hasHead = shapes.has('model.embed_tokens.weight');
  const prefix = hasHead ? 'model.' : '';
  const first = `${prefix}layers.0.`;
  const custom = new Customs(hints);
  if (!shapes.has(`${prefix}embed_tokens.weight`, `${first}mlp.gate_proj.weight`)) return [];
  custom.expect('model_type', KINDS, 'a model of type');
  custom.expect('hidden_act', /^(silu|swish)$/, 'the activation');
  // RoPE that is scaled for longer texts (linear, llama3, yarn) turns by other angles.
  custom.expect('rope_type', /^default$/, 'RoPE of type');
  if (isDict(hints.get('rope_scaling') ?? null) && !hints.has('rope_type')) {
    custom.refuse('RoPE that is scaled');
  }
  const [vocabulary = 0, width = 0] = shapes.of(`${prefix}embed_tokens.weight`);
  const kept = shapes.has('lm_head.weight');
  const rotary = shapes.has(`${first}self_attn.rotary_emb.inv_freq`);
  const depth = shapes.count(`${prefix}layers.`);
  const attention = attentionOf(
    shapes,
    custom,
    `${first}self_attn.q_proj`,
    `${first}self_attn.k_proj`,
  );
  const window = windowOf(hints);
  if (custom.kind === null) custom.assume("Llama's arithmetic; Gemma has the same names");
  if (window) custom.assume(`texts of no more than the ${window} tokens of its window`);
  return [
    {
      title: `Llama, ${depth} layers of ${width}`,
      model: hasHead ? 'HFLlamaLanguageModel' : 'HFLlama',
      args: {
        ...(hasHead
          ? { tied: shapes.areOne('model.embed_tokens.weight', 'lm_head.weight'), kept }
          : {}),
        biased: shapes.has(`${first}self_attn.q_proj.bias`),
        output_biased: shapes.has(`${first}self_attn.o_proj.bias`),
        mlp_biased: shapes.has(`${first}mlp.gate_proj.bias`),
        rotary,
        ...int({
          vocabulary,
          width,
          depth,
          hidden: shapes.size(`${first}mlp.gate_proj.weight`, 0),
        }),
        ...int(attention),
        ...(rotary ? {} : { theta: thetaOf(custom) }),
        eps: custom.number('eps', ['rms_norm_eps'], 1e-6, 'RMSNorm with eps 1e-6'),
      },
      ...custom.reading,
    },
  ];
}

/** Meta's own names, and llama2.c's. */
function own(shapes: Shapes, hints: Hints): Proposal[] {
  const first = 'layers.0.';
  const custom = new Customs(hints);
  if (!shapes.has('tok_embeddings.weight', `${first}attention.wq.weight`, 'norm.weight')) return [];
  if (custom.says('use_scaled_rope', true)) custom.refuse('RoPE that is scaled');
  const [vocabulary = 0, width = 0] = shapes.of('tok_embeddings.weight');
  const depth = shapes.count('layers.');
  const { heads, groups } = attentionOf(
    shapes,
    custom,
    `${first}attention.wq`,
    `${first}attention.wk`,
  );
  return [
    {
      title: `Llama, ${depth} layers of ${width}`,
      model: 'Llama',
      args: {
        ...int({ vocabulary, width, depth, heads, groups }),
        ...int({ hidden: shapes.size(`${first}feed_forward.w1.weight`, 0) }),
        theta: thetaOf(custom),
        eps: custom.number('eps', ['norm_eps'], 1e-5, 'RMSNorm with eps 1e-5'),
        tied: shapes.areOne('tok_embeddings.weight', 'output.weight'),
      },
      ...custom.reading,
    },
  ];
}

const thetaOf = (custom: Customs) =>
  custom.number('theta', ['rope_theta'], 10000, 'RoPE with theta 10000');

/** How far attention reaches back, where the configuration bounds it (Mistral). */
function windowOf(hints: Hints): bigint | null {
  const window = hints.get('sliding_window');
  return typeof window === 'bigint' && hints.get('use_sliding_window') !== false ? window : null;
}

/** Sizes of a head, the likeliest first. */
const SIZES = [64, 128, 96, 80, 48, 32, 24, 16, 8, 4, 2];

/** Heads of the queries and of the keys: each group of queries shares a key. */
function attentionOf(shapes: Shapes, custom: Customs, query: string, key: string) {
  const inner = shapes.size(`${query}.weight`, 0);
  const rows = shapes.size(`${key}.weight`, 0);
  const width = shapes.size(`${query}.weight`, 1);
  const sizes = width >= 2048 ? [128, ...SIZES] : SIZES;
  const usual = sizes.find((size) => inner % size === 0 && rows % size === 0) ?? inner;
  const heads = custom.heads(inner, ['num_attention_heads', 'n_heads', 'n_head'], usual);
  const size = inner / heads;
  return { heads, groups: Math.floor(rows / size), size };
}
