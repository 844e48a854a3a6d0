/**
 * torch.nn.functional.multi_head_attention_forward. What shares its input is projected by one matrix
 * product: query, key and value of self-attention, key and value of cross-attention.
 */
import { standard, toStandard, type Activation } from '../../activation.ts';
import type { OpContext, OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { unstacked } from './unstacked.ts';
import { additiveMask, attend, causalMask, hideWhere, type Mask } from './attend.ts';
import { drop } from './drop.ts';

type Inputs = Parameters<OpFunction<'multi_head_attention'>>[0];
type Attrs = Parameters<OpFunction<'multi_head_attention'>>[1];

export const multiHeadAttention: OpFunction<'multi_head_attention'> = (inputs, attrs, context) => {
  const { embed_dim: width, num_heads: heads, dropout_p: p } = attrs;
  const q = toStandard(inputs[0]!);
  const isUnbatched = q.rank === 2;
  const projected = project(inputs, attrs, context);
  const [batch, , length, size] = projected[0].shape as [number, number, number, number];
  const [key, value] = [projected[1], projected[2]].map((x, at) =>
    extended(x, inputs[8 + at] ?? null, attrs),
  ) as [tf.Tensor, tf.Tensor];
  const keys = key.shape[2]!;
  const fold = (x: tf.Tensor) => tf.reshape(x, [batch * heads, -1, size]);
  const { output, weights } = attend(
    [fold(projected[0]), fold(key), fold(value)],
    [batch, heads],
    1 / Math.sqrt(size),
    attrs.is_causal
      ? causalMask(length, keys, context)
      : maskOf(inputs, attrs, { batch, length, keys }, context),
    (likely) => (attrs.training ? drop(likely, p, context) : likely),
  );
  // (N, heads, L, D) as (L, N, E), or (N, L, E).
  const order = attrs.batch_first ? [0, 2, 1, 3] : [2, 0, 1, 3];
  const joined = tf.transpose(tf.reshape(output, [batch, heads, length, size]), order);
  const flat = tf.reshape(joined, [-1, width]);
  const result = affine(flat, inputs[10]!.tensor, inputs[11]?.tensor ?? null);
  const first = standard(tf.reshape(result, [...q.shape.slice(0, -1), result.shape[1]!]));
  if (!attrs.need_weights) return [first];
  const shown = attrs.average_attn_weights ? tf.mean(weights, 1) : weights;
  return [first, standard(isUnbatched ? tf.squeeze(shown, [0]) : shown)];
};

/** Query, key and value as (N, heads, length, size). */
function project(
  inputs: Inputs,
  attrs: Attrs,
  context: OpContext,
): readonly [tf.Tensor, tf.Tensor, tf.Tensor] {
  const width = attrs.embed_dim;
  const packed = inputs[3]?.tensor ?? null;
  const bias = inputs[7]?.tensor ?? null;
  /** Values first … end − 1 of the three, which share their input. */
  const run = (first: number, end: number): tf.Tensor[] => {
    const rows = (end - first) * width;
    const weight = packed
      ? tf.slice(packed, [first * width, 0], [rows, -1])
      : inputs[4 + first]!.tensor;
    const x = toStandard(inputs[first]!);
    const flat = tf.reshape(x, [-1, x.shape.at(-1)!]);
    const product = affine(flat, weight, bias && tf.slice(bias, [first * width], [rows]));
    return toHeads(product, x, end - first, attrs);
  };
  const [q, k, v] = context.node.inputs;
  if (packed && q === k && k === v) return run(0, 3) as [tf.Tensor, tf.Tensor, tf.Tensor];
  if (packed && k === v) return [...run(0, 1), ...run(1, 3)] as [tf.Tensor, tf.Tensor, tf.Tensor];
  return [run(0, 1)[0]!, run(1, 2)[0]!, run(2, 3)[0]!];
}

/** (rows, count · E) as `count` tensors (N, heads, length, size). */
function toHeads(product: tf.Tensor, x: tf.Tensor, count: number, attrs: Attrs): tf.Tensor[] {
  const [outer, inner] = x.rank === 2 ? [x.shape[0]!, 1] : (x.shape as [number, number]);
  const isBatchFirst = attrs.batch_first && x.rank === 3;
  const size = attrs.embed_dim / attrs.num_heads;
  const parts = tf.reshape(product, [outer, inner, count, attrs.num_heads, size]);
  const turned = tf.transpose(parts, isBatchFirst ? [2, 0, 3, 1, 4] : [2, 1, 3, 0, 4]);
  return unstacked(turned);
}

/** x (rows, in) · weightᵀ + bias */
function affine(x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor | null): tf.Tensor {
  const product = tf.matMul(x, weight, false, true);
  return bias ? tf.add(product, bias) : product;
}

/** One more key or value for every sequence: a learned one, and one of zeros. */
function extended(x: tf.Tensor, learned: Activation | null, attrs: Attrs): tf.Tensor {
  const [batch, heads, , size] = x.shape as [number, number, number, number];
  const parts = [x];
  if (learned) {
    const one = tf.reshape(learned.tensor, [1, heads, 1, size]);
    parts.push(tf.broadcastTo(one, [batch, heads, 1, size]));
  }
  if (attrs.add_zero_attn) parts.push(tf.zeros([batch, heads, 1, size]));
  return parts.length === 1 ? x : tf.concat(parts, 2);
}

/** Both masks as one that broadcasts to (N, heads, L, S). Keys that were added are always visible. */
function maskOf(
  inputs: Inputs,
  attrs: Attrs,
  { batch, length, keys }: { batch: number; length: number; keys: number },
  context: OpContext,
): Mask | null {
  const [padding, attention] = [inputs[12], inputs[13]].map((mask) => mask?.tensor ?? null);
  if (!padding && !attention) return null;
  const widened = (mask: tf.Tensor, shape: number[]): tf.Tensor => {
    const numbers = tf.reshape(mask.dtype === 'bool' ? hideWhere(mask) : mask, shape);
    const more = keys - shape.at(-1)!;
    if (more === 0) return numbers;
    return tf.concat([numbers, tf.zeros([...shape.slice(0, -1), more])], 3);
  };
  const numbers = (): tf.Tensor => {
    const all = padding && widened(padding, [batch, 1, 1, padding.shape.at(-1)!]);
    if (!attention) return all!;
    const lead = attention.rank === 3 ? [batch, attrs.num_heads] : [1, 1];
    const each = widened(attention, [...lead, length, attention.shape.at(-1)!]);
    return all ? tf.add(each, all) : each;
  };
  const [paddingNode, attentionNode] = context.node.inputs.slice(12);
  const key = `masks ${paddingNode} ${attentionNode} ${keys} ${batch} ${attrs.num_heads}`;
  return additiveMask(key, numbers, attrs.need_weights ? Number.NaN : 0, context);
}
