import * as tf from '#lib/runtime/tf.ts';

export type LossName = 'cross_entropy' | 'nll_loss';

/**
 * Mean loss over a batch, and how many predictions were right, as torch.nn.functional computes
 * them. `outputs` are (N, C): logits for cross_entropy, log-probabilities for nll_loss; `target`
 * is one-hot (N, C), which keeps gathers, slow and inexact in tfjs's gradients, out of the step.
 */
export function classificationLoss(
  name: LossName,
  outputs: tf.Tensor,
  target: tf.Tensor2D,
): { loss: tf.Scalar; correct: tf.Scalar } {
  if (outputs.rank !== 2 || outputs.shape[1] !== target.shape[1]) {
    throw new Error(
      `loss: the model gives [${outputs.shape.join(', ')}], ${name} with ${target.shape[1]} classes needs [${target.shape.join(', ')}]`,
    );
  }
  const logProbabilities = name === 'cross_entropy' ? tf.logSoftmax(outputs, -1) : outputs;
  const picked = tf.sum(tf.mul(logProbabilities, target), 1);
  const right = tf.equal(tf.argMax(outputs, 1), tf.argMax(target, 1));
  return {
    loss: tf.neg(tf.mean(picked)) as tf.Scalar,
    correct: tf.sum(tf.cast(right, 'float32')) as tf.Scalar,
  };
}

/** Class indices as one-hot rows (N, classes). Throws for a label outside of the classes. */
export function oneHot(labels: Int32Array, classes: number): Float32Array<ArrayBuffer> {
  const rows = new Float32Array(labels.length * classes);
  labels.forEach((label, row) => {
    if (label < 0 || label >= classes) {
      throw new Error(`loss: the label ${label} is outside of the model's ${classes} classes`);
    }
    rows[row * classes + label] = 1;
  });
  return rows;
}
