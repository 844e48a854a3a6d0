import { standard, toStandard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';

/** Integers: one at each index, zero elsewhere. */
export const oneHot: OpFunction<'one_hot'> = ([indices], attrs, { node }) => {
  const flat = tf.reshape(toStandard(indices), [-1]) as tf.Tensor1D;
  const hot = tf.oneHot(flat, attrs.num_classes, 1, 0, 'int32');
  return standard(tf.reshape(hot, [...node.shape]));
};
