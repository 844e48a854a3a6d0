import * as tf from '../../tf.ts';

/**
 * Zeroes with probability `p` and scales what is left by 1 / (1 − p). The mask is drawn from `seed`
 * in `shape`, which broadcasts to x's: ones in it drop whole channels.
 */
export function drop(
  x: tf.Tensor,
  p: number,
  seed: string,
  shape: readonly number[] = x.shape,
): tf.Tensor {
  if (p === 0) return x;
  if (p === 1) return tf.zerosLike(x);
  return tf.mul(x, tf.div(keepMask(shape, p, seed), 1 - p));
}

/** Ones with probability 1 − p, else zeros. */
export function keepMask(shape: readonly number[], p: number, seed: string): tf.Tensor {
  const draw = tf.randomUniform([...shape] as [number], 0, 1, 'float32', seed);
  return tf.cast(tf.greaterEqual(draw, p), 'float32');
}
