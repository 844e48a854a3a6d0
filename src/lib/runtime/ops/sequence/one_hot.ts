import { standard, toStandard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';

/** Integers: one at each index, zero elsewhere. */
export const oneHot: OpFunction<'one_hot'> = ([indices], attrs, { node }) => {
  const flat = tf.reshape(toStandard(indices), [-1]) as tf.Tensor1D;
  const hot = hotRows(flat, attrs.num_classes, 'int32');
  return standard(tf.reshape(hot, [...node.shape]));
};

/** A row of `depth` for each index, with one at its place and zeros elsewhere; tfjs's needs two. */
export function hotRows(
  indices: tf.Tensor1D,
  depth: number,
  dtype: 'float32' | 'int32',
): tf.Tensor2D {
  if (depth > 1) return tf.oneHot(indices, depth, 1, 0, dtype) as tf.Tensor2D;
  return tf.cast(tf.equal(tf.expandDims(indices, 1), 0), dtype) as tf.Tensor2D;
}
