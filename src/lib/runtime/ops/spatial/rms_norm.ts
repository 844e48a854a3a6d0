import { standard, toStandard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';

/** x / √(mean(x²) + eps) · weight over the last axes. */
export const rmsNorm: OpFunction<'rms_norm'> = ([x, weight], { normalized_shape, eps }) => {
  const input = toStandard(x);
  const size = normalized_shape.reduce((a, b) => a * b, 1);
  const rows = tf.reshape(input, [-1, size]);
  const power = tf.mean(tf.square(rows), 1, true);
  const normal = tf.mul(rows, tf.rsqrt(tf.add(power, eps)));
  const scaled = weight ? tf.mul(normal, tf.reshape(weight.tensor, [size])) : normal;
  return standard(tf.reshape(scaled, input.shape));
};
