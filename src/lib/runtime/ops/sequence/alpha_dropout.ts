import { standard, toStandard } from '../../activation.ts';
import { drawMask } from '../../kernels/draw.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';

/** SELU's scale · alpha: what it tends to for inputs far below zero is −ALPHA. */
const ALPHA = 1.7580993408473766;

/**
 * What is dropped becomes −ALPHA, and everything is scaled and shifted so that mean 0 and variance
 * 1 stay (Self-Normalizing Neural Networks, Klambauer et al. 2017): a = ((1 − p)(1 + p ALPHA²))^−½.
 */
export const alphaDropout: OpFunction<'alpha_dropout'> = ([x], { p, training, lead }, context) => {
  if (!training || p === 0) return x;
  if (p === 1) return { ...x, tensor: tf.zerosLike(x.tensor) };
  const input = toStandard(x);
  const shape = input.shape.map((size, axis) => (axis < (lead ?? input.rank) ? size : 1));
  const keep = drawMask(shape, p, context.draws(), 1);
  const scale = 1 / Math.sqrt((1 - p) * (1 + p * ALPHA ** 2));
  const shift = tf.add(tf.mul(tf.sub(keep, 1), ALPHA * scale), ALPHA * scale * p);
  return standard(tf.add(tf.mul(input, tf.mul(keep, scale)), shift));
};
