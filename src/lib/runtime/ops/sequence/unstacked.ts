import * as tf from '../../tf.ts';

/** The parts along the first axis. tfjs's unstack has no gradient where there is only one. */
export function unstacked(x: tf.Tensor): tf.Tensor[] {
  return x.shape[0] === 1 ? [tf.squeeze(x, [0])] : tf.unstack(x, 0);
}
