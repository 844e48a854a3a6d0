import { standard, toStandard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';

/** x1 · weight as a row of `in2` for each output, times x2. */
export const bilinear: OpFunction<'bilinear'> = ([x1, x2, weight, bias], _, { node }) => {
  const [out, in1, in2] = weight.tensor.shape as [number, number, number];
  const left = tf.reshape(toStandard(x1), [-1, in1]);
  const right = tf.reshape(toStandard(x2), [-1, in2, 1]);
  const matrix = tf.reshape(tf.transpose(weight.tensor, [1, 0, 2]), [in1, out * in2]);
  const rows = tf.reshape(tf.matMul(left, matrix), [-1, out, in2]);
  const product = tf.reshape(tf.matMul(rows, right), [-1, out]);
  return standard(tf.reshape(bias ? tf.add(product, bias.tensor) : product, [...node.shape]));
};
