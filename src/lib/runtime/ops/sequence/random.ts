import { standard } from '../../activation.ts';
import { drawUniform } from '../../kernels/draw.ts';
import { cos } from '../../kernels/special.ts';
import type { OpContext, OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';

/** Numbers from the run's seed, other ones in each pass and node; not those that torch would draw. */
export const random: OpFunction<'random'> = (_, { distribution, low, high }, context) => {
  const { shape } = context.node;
  if (distribution === 'normal') return standard(normal(shape, context));
  const numbers = drawUniform(shape, context.draws());
  return standard(low === 0 && high === 1 ? numbers : scaled(numbers, low, high));
};

/** Two ops, since a kernel might round once where the host rounds twice. */
function scaled(numbers: tf.Tensor, low: number, high: number): tf.Tensor {
  return tf.add(tf.mul(numbers, high - low), low);
}

/** √(−2 log(1 − u)) · cos(2π v), Box and Muller (1958). Backends differ by the rounding of log and cos. */
function normal(shape: readonly number[], context: OpContext): tf.Tensor {
  const [u, v] = [0, 1].map((stream) => drawUniform(shape, context.draws(stream)));
  const radius = tf.sqrt(tf.mul(tf.log(tf.sub(1, u!)), -2));
  return tf.mul(radius, cos(tf.mul(v!, 2 * Math.PI)));
}
