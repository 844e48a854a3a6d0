/** Attention as matrix products with a softmax between them, and what masks mean in it. */
import * as tf from '../../tf.ts';
import type { OpContext } from '../../op.ts';
import { softmaxRows } from '../reduce/softmax_rows.ts';

/**
 * What is added to a score that takes no part: finite, since the difference of two infinities is
 * NaN, and above the number that tfjs's softmax begins its search for the maximum with.
 */
const LOWEST = -3.4e38;

/** A mask, ready for use with scores (…, L, S). */
export interface Mask {
  /** Added to the scores; broadcasts to them. */
  readonly bias: tf.Tensor;
  /** (…, L, 1): one, or what stands for the weights of a row that is masked out completely. */
  readonly rows: tf.Tensor | null;
}

/** Hides every key after the query: position j from i where j > i, counted from the first of both. */
export function causalMask(length: number, keys: number, context: OpContext): Mask {
  const bias = context.cached(`causal ${length} ${keys}`, () => {
    const rows = tf.expandDims(tf.range(0, length, 1), 1);
    const columns = tf.expandDims(tf.range(0, keys, 1), 0);
    return tf.mul(tf.cast(tf.greater(columns, rows), 'float32'), LOWEST);
  });
  return { bias, rows: null };
}

/**
 * A mask of numbers to add, −∞ among them. Rows without any other number become `empty`: zero where
 * PyTorch's softmax is the safe one, NaN where it is not.
 */
export function additiveMask(
  key: string,
  numbers: () => tf.Tensor,
  empty: number,
  context: OpContext,
): Mask {
  const all = context.cached(key, numbers);
  const bias = context.cached(`${key} bias`, () => tf.clipByValue(all, LOWEST, Infinity));
  const rows = context.cached(`${key} rows ${empty}`, () => isVisible(all, empty));
  return { bias, rows };
}

/** Zero where `hidden` is false, −∞ where it is true. */
export function hideWhere(hidden: tf.Tensor): tf.Tensor {
  return tf.where(
    tf.cast(hidden, 'bool'),
    tf.fill(hidden.shape, -Infinity),
    tf.zeros(hidden.shape),
  );
}

/** Has no gradient: it is one or `empty`, whatever the numbers are. */
function isVisible(numbers: tf.Tensor, empty: number): tf.Tensor {
  const visible = tf.customGrad((x) => {
    const some = tf.greater(tf.max(x as tf.Tensor, -1, true), -Infinity);
    const value = tf.where(some, tf.ones(some.shape), tf.fill(some.shape, empty));
    return { value, gradFunc: () => tf.zerosLike(x as tf.Tensor) };
  });
  return visible(numbers);
}

export interface Attention {
  /** (G, L, Ev) */
  readonly output: tf.Tensor;
  /** (…, L, S), after dropout. */
  readonly weights: tf.Tensor;
}

/**
 * softmax(scale · q kᵀ + mask) v for q (G, L, E), k (G, S, E), v (G, S, Ev). `lead` is what G is
 * folded of; the mask broadcasts to it.
 */
export function attend(
  [q, k, v]: readonly [tf.Tensor, tf.Tensor, tf.Tensor],
  lead: readonly number[],
  scale: number,
  mask: Mask | null,
  dropout: (weights: tf.Tensor) => tf.Tensor,
): Attention {
  const product = tf.matMul(tf.mul(q, scale), k, false, true);
  const keys = k.shape[1]!;
  const length = product.size / keys / tf.util.sizeFromShape([...lead]);
  const scores = tf.reshape(product, [...lead, length, keys]);
  const likely = softmaxRows(mask ? tf.add(scores, mask.bias) : scores);
  const weights = dropout(mask?.rows ? tf.mul(likely, mask.rows) : likely);
  return { output: tf.matMul(tf.reshape(weights, product.shape), v), weights };
}
