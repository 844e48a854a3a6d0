import { standard, toStandard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { standardise } from './standardise.ts';

/** (x − mean) / √(var + eps) · weight + bias over the last axes, each of their places by its own. */
export const layerNorm: OpFunction<'layer_norm'> = (
  [x, weight, bias],
  { normalized_shape, eps },
) => {
  const size = normalized_shape.reduce((a, b) => a * b, 1);
  const input = toStandard(x);
  const rows = tf.reshape(input, [-1, size]);
  const flat = (tensor: tf.Tensor) => tf.reshape(tensor, [size]);
  const normal = standardise(rows, eps);
  const scaled = weight ? tf.mul(normal, flat(weight.tensor)) : normal;
  const moved = bias ? tf.add(scaled, flat(bias.tensor)) : scaled;
  return standard(tf.reshape(moved, input.shape));
};
