/** Products and running sums, by halves: their gradients are right where elements are 0. */
import { standard, toStandard } from '../../activation.ts';
import type { OpFunctions } from '../../op.ts';
import * as tf from '../../tf.ts';
import { alongLines, reduced, rowsOf } from './lines.ts';

/** The product of each row: one half times the other, until one element is left. */
function product(rows: tf.Tensor2D): tf.Tensor {
  const [count] = rows.shape;
  let [, size] = rows.shape;
  let rest = rows;
  while (size > 1) {
    if (size % 2 === 1) {
      rest = tf.pad(
        rest,
        [
          [0, 0],
          [0, 1],
        ],
        1,
      );
      size++;
    }
    const half = size / 2;
    rest = tf.mul(tf.slice(rest, [0, 0], [count, half]), tf.slice(rest, [0, half], [count, half]));
    size = half;
  }
  return size === 0 ? tf.ones([count, 1], rows.dtype) : rest;
}

/** Each element combined with all before it: with the one before, then with the two before that, … */
function running(
  rows: tf.Tensor2D,
  identity: number,
  combine: (x: tf.Tensor, y: tf.Tensor) => tf.Tensor,
): tf.Tensor2D {
  const [count, size] = rows.shape;
  let result = rows;
  for (let step = 1; step < size; step *= 2) {
    const before = tf.pad(
      tf.slice(result, [0, 0], [count, size - step]),
      [
        [0, 0],
        [step, 0],
      ],
      identity,
    );
    result = combine(result, before) as tf.Tensor2D;
  }
  return result;
}

export const products = {
  cumprod: ([x], { dim }) =>
    standard(alongLines(toStandard(x), dim, (rows) => running(rows, 1, tf.mul))),
  cumsum: ([x], { dim }) =>
    standard(alongLines(toStandard(x), dim, (rows) => running(rows, 0, tf.add))),
  prod: ([x], { dims, keepdim }) =>
    reduced(x, dims, keepdim, (at, axes) => {
      const shape = at.shape.filter((_, axis) => !axes.includes(axis));
      return tf.reshape(product(rowsOf(at, axes)), shape);
    }),
} satisfies OpFunctions;
