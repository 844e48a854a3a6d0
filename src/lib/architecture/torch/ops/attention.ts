/** Attention: scaled dot products, and nn.MultiheadAttention as one op. */
import { raised } from '../../python/errors.ts';
import { demandFloat, demandShape, emit, emitMany, named, type Attrs } from '../emit.ts';
import { broadcast } from '../shapes.ts';
import { shapeText, type PyTensor } from '../tensor.ts';

/** q (…, L, E), k (…, S, E), v (…, S, Ev) and a mask that broadcasts to (…, L, S) give (…, L, Ev). */
export function scaledDotProductAttention(
  q: PyTensor,
  k: PyTensor,
  v: PyTensor,
  mask: PyTensor | null,
  attrs: Attrs<'scaled_dot_product_attention'>,
): PyTensor {
  const what = 'scaled_dot_product_attention';
  demandFloat(what, q, k, v);
  const wrong = (words: string): Error => raised('RuntimeError', `${what}: ${words}`);
  const shapes = [q, k, v].map(({ shape }) => shapeText(shape)).join(', ');
  if ([q, k, v].some(({ shape }) => shape.length < 2)) {
    throw wrong(`query, key and value need two axes at least, they are ${shapes}`);
  }
  if (q.shape.at(-1) !== k.shape.at(-1) || k.shape.at(-2) !== v.shape.at(-2)) {
    throw wrong(`query, key and value of ${shapes} do not fit together`);
  }
  if (mask && attrs.is_causal) throw wrong('attn_mask and is_causal=True exclude each other');
  checkProbability(what, attrs.dropout_p);
  const kv = [k, v].map((tensor) => tensor.shape.slice(0, -2));
  if (attrs.enable_gqa) {
    const heads = q.shape.at(-3);
    for (const lead of kv) {
      const own = lead.at(-1);
      if (!heads || !own || heads % own !== 0) {
        throw wrong(`enable_gqa: ${heads ?? 'no'} heads do not divide into ${own ?? 'none'}`);
      }
      lead.splice(-1, 1, heads);
    }
  }
  const lead = kv.reduce((a, b) => broadcast(a, b, what), q.shape.slice(0, -2));
  const [length, keys] = [q.shape.at(-2)!, k.shape.at(-2)!];
  if (mask) {
    demandMask(what, 'attn_mask', mask);
    const scores = [...lead, length, keys];
    if (broadcast(mask.shape, scores, what).join() !== scores.join()) {
      throw wrong(`attn_mask ${shapeText(mask.shape)} does not fit scores ${shapeText(scores)}`);
    }
  }
  return emit(what, [q, k, v, mask], attrs, [...lead, length, v.shape.at(-1)!], q.dtype);
}

/** The tensors of nn.MultiheadAttention, as its op takes them. */
export interface AttentionWeights {
  readonly inProj: PyTensor | null;
  readonly qProj: PyTensor | null;
  readonly kProj: PyTensor | null;
  readonly vProj: PyTensor | null;
  readonly inProjBias: PyTensor | null;
  readonly biasK: PyTensor | null;
  readonly biasV: PyTensor | null;
  readonly outProj: PyTensor;
  readonly outProjBias: PyTensor | null;
}

/** The result, and the attention's weights where they are asked for. */
export function multiHeadAttention(
  [q, k, v]: readonly [PyTensor, PyTensor, PyTensor],
  weights: AttentionWeights,
  masks: { readonly keyPadding: PyTensor | null; readonly attention: PyTensor | null },
  attrs: Attrs<'multi_head_attention'>,
): { readonly output: PyTensor; readonly weights: PyTensor | null } {
  const what = 'multi_head_attention';
  const { embed_dim: width, num_heads: heads } = attrs;
  const { inProj, qProj, kProj, vProj, inProjBias, biasK, biasV, outProj, outProjBias } = weights;
  const tensors = [inProj, qProj, kProj, vProj, inProjBias, biasK, biasV, outProj, outProjBias];
  demandFloat(what, q, k, v, ...tensors);
  checkProbability(what, attrs.dropout_p);
  if (width % heads !== 0) {
    throw raised('AssertionError', `${what}: ${heads} heads do not divide embed_dim ${width}`);
  }
  const { batch, length, keys } = attentionSizes(what, q, k, v, attrs.batch_first);
  const widths = [q, k, v].map(({ shape }) => shape.at(-1)!);
  if (widths[0] !== width) {
    throw raised('AssertionError', `${what}: query has ${widths[0]} features, not ${width}`);
  }
  demandShape(what, 'in_proj_weight', inProj, [3 * width, widths[0]]);
  if (inProj && widths.some((size) => size !== width)) {
    throw raised(
      'AssertionError',
      `${what}: query, key and value have ${widths.join(', ')} features, ${named('in_proj_weight', inProj)} takes ${width}`,
    );
  }
  demandShape(what, 'q_proj_weight', qProj, [width, widths[0]]);
  demandShape(what, 'k_proj_weight', kProj, [width, widths[1]!]);
  demandShape(what, 'v_proj_weight', vProj, [width, widths[2]!]);
  demandShape(what, 'in_proj_bias', inProjBias, [3 * width]);
  demandShape(what, 'bias_k', biasK, [1, 1, width]);
  demandShape(what, 'bias_v', biasV, [1, 1, width]);
  demandShape(what, 'out_proj.bias', outProjBias, [outProj.shape[0]!]);
  checkMasks(what, masks, { batch, length, keys, heads });
  const all = keys + (biasK ? 1 : 0) + (attrs.add_zero_attn ? 1 : 0);
  const outputs = [
    { shape: [...q.shape.slice(0, -1), outProj.shape[0]!], dtype: q.dtype },
    {
      shape: [
        ...(batch === null ? [] : [batch]),
        ...(attrs.average_attn_weights ? [] : [heads]),
        length,
        all,
      ],
      dtype: q.dtype,
    },
  ];
  const inputs = [q, k, v, ...tensors, masks.keyPadding, masks.attention];
  const [output, attention] = emitMany(
    what,
    inputs,
    attrs,
    attrs.need_weights ? outputs : outputs.slice(0, 1),
  );
  return { output: output!, weights: attention ?? null };
}

interface AttentionSizes {
  /** null where the inputs have no axis for it. */
  readonly batch: number | null;
  readonly length: number;
  readonly keys: number;
}

function attentionSizes(
  what: string,
  q: PyTensor,
  k: PyTensor,
  v: PyTensor,
  batchFirst: boolean,
): AttentionSizes {
  const rank = q.shape.length;
  const fits = rank === 2 || rank === 3;
  if (!fits || k.shape.length !== rank || v.shape.length !== rank) {
    const shapes = [q, k, v].map(({ shape }) => shapeText(shape)).join(', ');
    throw raised('AssertionError', `${what}: query, key and value have shapes ${shapes}`);
  }
  if (k.shape.slice(0, -1).join() !== v.shape.slice(0, -1).join()) {
    throw raised(
      'AssertionError',
      `${what}: key ${shapeText(k.shape)} and value ${shapeText(v.shape)} have other lengths`,
    );
  }
  if (rank === 2) return { batch: null, length: q.shape[0]!, keys: k.shape[0]! };
  const [lengthAxis, batchAxis] = batchFirst ? [1, 0] : [0, 1];
  if (q.shape[batchAxis] !== k.shape[batchAxis]) {
    throw raised(
      'RuntimeError',
      `${what}: query has a batch of ${q.shape[batchAxis]}, key of ${k.shape[batchAxis]}`,
    );
  }
  return { batch: q.shape[batchAxis]!, length: q.shape[lengthAxis]!, keys: k.shape[lengthAxis]! };
}

function checkMasks(
  what: string,
  { keyPadding, attention }: Parameters<typeof multiHeadAttention>[2],
  { batch, length, keys, heads }: AttentionSizes & { heads: number },
): void {
  if (keyPadding) {
    demandMask(what, 'key_padding_mask', keyPadding);
    demandShape(what, 'key_padding_mask', keyPadding, batch === null ? [keys] : [batch, keys]);
  }
  if (!attention) return;
  demandMask(what, 'attn_mask', attention);
  const lead = attention.shape.length === 3 ? [(batch ?? 1) * heads] : [];
  demandShape(what, 'attn_mask', attention, [...lead, length, keys]);
}

function demandMask(what: string, role: string, mask: PyTensor): void {
  if (mask.dtype === 'bool' || mask.dtype === 'float32') return;
  throw raised('RuntimeError', `${what}: ${role} is ${mask.dtype}, bool or float32 is needed`);
}

function checkProbability(what: string, p: number): void {
  if (p >= 0 && p <= 1) return;
  throw raised('ValueError', `${what}: the probability has to be between 0 and 1, not ${p}`);
}
