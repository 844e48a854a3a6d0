import { last, standard, type Activation } from '../../activation.ts';
import type { OpContext, OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';

/**
 * (x − mean) / √(var + eps) · weight + bias, over every axis but the channel's. In training mean and
 * biased variance are the batch's, and the running statistics move towards the mean and the unbiased
 * variance (torch.nn.modules.batchnorm._BatchNorm). Composed of plain ops: tfjs's own batchNorm has
 * no gradient without scale and offset.
 */
export const batchNorm: OpFunction<'batch_norm'> = (
  [x, weight, bias, runningMean, runningVar],
  { training, eps, momentum },
  context,
) => {
  const { input, axes, column } = byChannel(x);
  let mean: tf.Tensor;
  let variance: tf.Tensor;
  if (training || !runningMean || !runningVar) {
    const moments = tf.moments(input, axes, true);
    mean = moments.mean;
    variance = moments.variance;
    if (training && runningMean && runningVar) {
      const count = axes.reduce((product, axis) => product * input.shape[axis]!, 1);
      const unbiased = tf.mul(variance, count / (count - 1));
      updateRunning({ mean, unbiased, runningMean, runningVar, momentum, context });
    }
  } else {
    mean = column(runningMean.tensor);
    variance = column(runningVar.tensor);
  }
  const invstd = tf.rsqrt(tf.add(variance, eps));
  const scale = weight ? tf.mul(invstd, column(weight.tensor)) : invstd;
  const normal = tf.mul(tf.sub(input, mean), scale);
  const moved = bias ? tf.add(normal, column(bias.tensor)) : normal;
  return x.layout === 'last' ? last(moved) : standard(tf.reshape(moved, x.tensor.shape));
};

/** x with its channels last or in the middle of (N, C, …), and values of each channel to fit. */
function byChannel({ tensor, layout }: Activation): {
  input: tf.Tensor;
  axes: number[];
  column: (value: tf.Tensor) => tf.Tensor;
} {
  if (layout === 'last') return { input: tensor, axes: [0, 1, 2], column: (value) => value };
  const [batch, channels] = tensor.shape as [number, number];
  return {
    input: tf.reshape(tensor, [batch, channels, -1]),
    axes: [0, 2],
    column: (value) => tf.reshape(value, [channels, 1]),
  };
}

function updateRunning(update: {
  mean: tf.Tensor;
  unbiased: tf.Tensor;
  runningMean: Activation;
  runningVar: Activation;
  momentum: number | null;
  context: OpContext;
}): void {
  const { mean, unbiased, runningMean, runningVar, momentum, context } = update;
  const [, , , meanNode, varNode, countNode] = context.node.inputs as readonly (number | null)[];
  const batches = typeof countNode === 'number' ? context.countBatch(countNode) : undefined;
  const share = momentum ?? (batches && 1 / batches);
  if (share === undefined) throw new Error('batch_norm: momentum=None needs num_batches_tracked');
  context.updateBuffer(meanNode!, moved(runningMean.tensor, mean, share));
  context.updateBuffer(varNode!, moved(runningVar.tensor, unbiased, share));
}

/** A running statistic after a step of `share` towards the batch's. */
export function moved(running: tf.Tensor, batch: tf.Tensor, share: number): tf.Tensor {
  return tf.add(tf.mul(running, 1 - share), tf.mul(tf.reshape(batch, running.shape), share));
}
