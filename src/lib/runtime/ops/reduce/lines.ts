/** Axes brought to the end and merged, so that an op has rows to work on. */
import { standard, toStandard, type Activation } from '../../activation.ts';
import * as tf from '../../tf.ts';

/** The result of a reduction, with the reduced axes left out or kept as 1. */
export function reduced(
  x: Activation,
  dims: readonly number[],
  keepdim: boolean,
  compute: (x: tf.Tensor, axes: number[]) => tf.Tensor,
): Activation {
  const input = toStandard(x);
  const result = compute(input, [...dims]);
  if (!keepdim) return standard(result);
  const shape = input.shape.map((size, axis) => (dims.includes(axis) ? 1 : size));
  return standard(tf.reshape(result, shape));
}

/** x as (rows, elements that are taken together). */
export function rowsOf(x: tf.Tensor, dims: readonly number[]): tf.Tensor2D {
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !dims.includes(axis));
  const turned = transposed(x, [...kept, ...dims]);
  const count = tf.util.sizeFromShape(dims.map((axis) => x.shape[axis]!));
  return tf.reshape(turned, [-1, count]);
}

/** Applies `compute` to the lines along an axis, as rows; it may change their length. */
export function alongLines(
  x: tf.Tensor,
  dim: number,
  compute: (rows: tf.Tensor2D) => tf.Tensor,
): tf.Tensor {
  if (x.rank === 0) return tf.reshape(compute(tf.reshape(x, [1, 1])), []);
  const order = x.shape.map((_, axis) => axis);
  [order[dim], order[x.rank - 1]] = [x.rank - 1, dim]; // a swap is its own inverse
  const turned = transposed(x, order);
  const rows = tf.reshape(turned, [-1, x.shape[dim]!]) as tf.Tensor2D;
  const result = compute(rows);
  return transposed(tf.reshape(result, turned.shape.with(-1, result.shape[1]!)), order);
}

function transposed(x: tf.Tensor, order: number[]): tf.Tensor {
  return order.every((axis, at) => axis === at) ? x : tf.transpose(x, order);
}
