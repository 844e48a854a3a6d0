import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';

/** Zeroes each element with probability p and scales the others by 1 / (1 − p), in training. */
export const dropout: OpFunction<'dropout'> = ([x], { p, training }, context) => {
  if (!training || p === 0) return x;
  if (p === 1) return { ...x, tensor: tf.zerosLike(x.tensor) };
  const draw = tf.randomUniform(x.tensor.shape, 0, 1, 'float32', context.dropoutSeed());
  const mask = tf.div(tf.cast(tf.greaterEqual(draw, p), 'float32'), 1 - p);
  return { ...x, tensor: tf.mul(x.tensor, mask) };
};
