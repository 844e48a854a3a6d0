import { standard, toStandard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { standardise } from './standardise.ts';

/** Each group of channels of each image by its own mean and variance; weight and bias by channel. */
export const groupNorm: OpFunction<'group_norm'> = ([x, weight, bias], { num_groups, eps }) => {
  const input = toStandard(x);
  const [batch, channels] = input.shape as [number, number];
  const normal = standardise(tf.reshape(input, [batch * num_groups, -1]), eps);
  const perChannel = tf.reshape(normal, [batch, channels, -1]);
  const column = (tensor: tf.Tensor) => tf.reshape(tensor, [channels, 1]);
  const scaled = weight ? tf.mul(perChannel, column(weight.tensor)) : perChannel;
  const moved = bias ? tf.add(scaled, column(bias.tensor)) : scaled;
  return standard(tf.reshape(moved, input.shape));
};
