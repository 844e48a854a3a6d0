import * as tf from '../../tf.ts';
import { standard, toStandard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';

/** x (…, in) · weightᵀ (in, out) + bias. Two axes only: tfjs has no gradient for broadcast matmuls. */
export const linear: OpFunction<'linear'> = ([x, weight, bias]) => {
  const input = toStandard(x);
  const features = input.shape.at(-1)!;
  const flat = tf.reshape(input, [-1, features]) as tf.Tensor2D;
  const product = tf.matMul(flat, weight.tensor as tf.Tensor2D, false, true);
  const sum = bias ? tf.add(product, bias.tensor) : product;
  return standard(tf.reshape(sum, [...input.shape.slice(0, -1), weight.tensor.shape[0]!]));
};
