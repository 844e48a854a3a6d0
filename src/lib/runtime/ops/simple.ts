/** Ops of a few words: activations, shape, addition. */
import * as tf from '../tf.ts';
import { standard, toLast, toStandard, type Activation } from '../activation.ts';
import type { OpFunction } from '../op.ts';

export const relu: OpFunction<'relu'> = ([x]) => ({ ...x, tensor: tf.relu(x.tensor) });

export const reshape: OpFunction<'reshape'> = ([x], { shape }) =>
  standard(tf.reshape(toStandard(x), [...shape]));

export const add: OpFunction<'add'> = ([x, y], { alpha, scalar }) => {
  if (!y) return { ...x, tensor: tf.add(x.tensor, alpha * scalar) };
  const [a, b, layout] = alike(x, y);
  return { tensor: tf.add(a, alpha === 1 ? b : tf.mul(b, alpha)), layout };
};

/** Two operands in one layout; channels-last only where both have four axes, so broadcasting holds. */
function alike(x: Activation, y: Activation): [tf.Tensor, tf.Tensor, Activation['layout']] {
  const images = x.tensor.rank === 4 && y.tensor.rank === 4;
  if (images && (x.layout === 'last' || y.layout === 'last')) return [toLast(x), toLast(y), 'last'];
  return [toStandard(x), toStandard(y), 'standard'];
}

export const softmax: OpFunction<'softmax'> = ([x], { dim }) => along(x, dim, tf.softmax);

export const logSoftmax: OpFunction<'log_softmax'> = ([x], { dim }) => along(x, dim, tf.logSoftmax);

/** Applies a function of the last axis along `dim`: tfjs knows softmax only there. */
function along(x: Activation, dim: number, apply: (x: tf.Tensor) => tf.Tensor): Activation {
  const input = toStandard(x);
  const lastAxis = input.rank - 1;
  const axis = dim < 0 ? dim + input.rank : dim;
  if (axis === lastAxis) return standard(apply(input));
  const order = Array.from({ length: input.rank }, (_, index) => index);
  [order[axis], order[lastAxis]] = [lastAxis, axis]; // a swap is its own inverse
  return standard(tf.transpose(apply(tf.transpose(input, order)), order));
}

/** Zeroes each element with probability p and scales the others by 1 / (1 − p), in training. */
export const dropout: OpFunction<'dropout'> = ([x], { p, training }, context) => {
  if (!training || p === 0) return x;
  if (p === 1) return { ...x, tensor: tf.zerosLike(x.tensor) };
  const draw = tf.randomUniform(x.tensor.shape, 0, 1, 'float32', context.dropoutSeed());
  const mask = tf.div(tf.cast(tf.greaterEqual(draw, p), 'float32'), 1 - p);
  return { ...x, tensor: tf.mul(x.tensor, mask) };
};
