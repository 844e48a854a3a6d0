import * as tf from '../../tf.ts';

/** Rows (n, size) with mean 0 and biased variance 1: (x − mean) / √(var + eps). */
export function standardise(rows: tf.Tensor, eps: number): tf.Tensor {
  const centred = tf.sub(rows, tf.mean(rows, 1, true));
  const variance = tf.mean(tf.square(centred), 1, true);
  return tf.mul(centred, tf.rsqrt(tf.add(variance, eps)));
}
