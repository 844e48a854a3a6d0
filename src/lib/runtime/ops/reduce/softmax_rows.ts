import * as tf from '../../tf.ts';

/** tfjs's kernel dispatches one workgroup for each row, and WebGPU takes 65,535 of them at most. */
const MOST_ROWS = 65_535;

/** Softmax over the last axis, for any number of rows. */
export function softmaxRows(x: tf.Tensor): tf.Tensor {
  return x.size / (x.shape.at(-1) || 1) <= MOST_ROWS ? tf.softmax(x) : composed(x);
}

/** exp(x − max) / Σ; its gradient is (dy − Σ dy·y)·y, as of the kernel. */
const composed = tf.customGrad((x, save) => {
  const powers = tf.exp(tf.sub(x as tf.Tensor, tf.max(x as tf.Tensor, -1, true)));
  const y = tf.div(powers, tf.sum(powers, -1, true));
  (save as tf.GradSaveFunc)([y]);
  const gradFunc = (dy: tf.Tensor, [result]: tf.Tensor[]) => {
    const scaled = tf.mul(dy, result!);
    return tf.sub(scaled, tf.mul(tf.sum(scaled, -1, true), result!));
  };
  return { value: y, gradFunc };
});
