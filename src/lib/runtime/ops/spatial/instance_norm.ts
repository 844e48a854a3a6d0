import { standard, toStandard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { moved } from './batch_norm.ts';
import { standardise } from './standardise.ts';

/**
 * Each channel of each image by its own mean and variance. Running statistics, where there are any,
 * move towards the batch's average of the means and of the unbiased variances.
 */
export const instanceNorm: OpFunction<'instance_norm'> = (
  [x, weight, bias, runningMean, runningVar],
  { momentum, eps },
  context,
) => {
  const input = toStandard(x);
  const [batch, channels] = input.shape as [number, number];
  const rows = tf.reshape(input, [batch * channels, -1]);
  if (runningMean && runningVar) {
    const size = rows.shape[1]!;
    const { mean, variance } = tf.moments(rows, 1);
    const average = (values: tf.Tensor) => tf.mean(tf.reshape(values, [batch, channels]), 0);
    const unbiased = tf.mul(variance, size / (size - 1));
    const [, , , meanNode, varNode] = context.node.inputs as readonly (number | null)[];
    context.updateBuffer(meanNode!, moved(runningMean.tensor, average(mean), momentum));
    context.updateBuffer(varNode!, moved(runningVar.tensor, average(unbiased), momentum));
  }
  const normal = tf.reshape(standardise(rows, eps), [batch, channels, -1]);
  const column = (tensor: tf.Tensor) => tf.reshape(tensor, [channels, 1]);
  const scaled = weight ? tf.mul(normal, column(weight.tensor)) : normal;
  const result = bias ? tf.add(scaled, column(bias.tensor)) : scaled;
  return standard(tf.reshape(result, input.shape));
};
