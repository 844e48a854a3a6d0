import * as tf from '../../tf.ts';
import type { Activation } from '../../activation.ts';
import type { OpContext, OpFunction } from '../../op.ts';

/**
 * (x − mean) / √(var + eps) · weight + bias, over every axis but the channel's (axis 1). In
 * training mean and biased variance are the batch's, and the running statistics move towards the
 * mean and the unbiased variance (torch.nn.modules.batchnorm._BatchNorm). Composed of plain ops:
 * tfjs's own batchNorm has no gradient without scale and offset.
 */
export const batchNorm: OpFunction<'batch_norm'> = (
  [x, weight, bias, runningMean, runningVar],
  { training, eps, momentum },
  context,
) => {
  const rank = x.tensor.rank;
  const channel = x.layout === 'last' ? rank - 1 : 1;
  const axes = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => axis !== channel);
  const perChannel = x.tensor.shape.map((size, axis) => (axis === channel ? size : 1));
  const spread = (value: tf.Tensor) => tf.reshape(value, perChannel);

  let mean: tf.Tensor;
  let variance: tf.Tensor;
  if (training || !runningMean || !runningVar) {
    const moments = tf.moments(x.tensor, axes, true);
    mean = moments.mean;
    variance = moments.variance;
    if (training && runningMean && runningVar) {
      const count = axes.reduce((product, axis) => product * x.tensor.shape[axis]!, 1);
      const unbiased = tf.mul(variance, count / (count - 1));
      updateRunning({ mean, unbiased, runningMean, runningVar, momentum, context });
    }
  } else {
    mean = spread(runningMean.tensor);
    variance = spread(runningVar.tensor);
  }
  const invstd = tf.rsqrt(tf.add(variance, eps));
  const scale = weight ? tf.mul(invstd, spread(weight.tensor)) : invstd;
  const normal = tf.mul(tf.sub(x.tensor, mean), scale);
  return { tensor: bias ? tf.add(normal, spread(bias.tensor)) : normal, layout: x.layout };
};

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
  const moved = (running: tf.Tensor, batch: tf.Tensor) =>
    tf.add(tf.mul(running, 1 - share), tf.mul(tf.reshape(batch, running.shape), share));
  context.updateBuffer(meanNode!, moved(runningMean.tensor, mean));
  context.updateBuffer(varNode!, moved(runningVar.tensor, unbiased));
}
