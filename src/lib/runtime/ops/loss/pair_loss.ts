/** Losses of the difference between input and target. */
import { standard, toStandard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { reduce } from './reduce.ts';

/** |x|, whose gradient at zero is zero as in torch; tfjs's own is −1 there. */
const absolute = tf.customGrad((x, save) => {
  (save as tf.GradSaveFunc)([x as tf.Tensor]);
  return {
    value: tf.abs(x as tf.Tensor),
    gradFunc: (dy: tf.Tensor, [saved]: tf.Tensor[]) => tf.mul(dy, tf.sign(saved!)),
  };
});

export const squaredDistances = (x: tf.Tensor, y: tf.Tensor): tf.Tensor => tf.square(tf.sub(x, y));

export const distances = (x: tf.Tensor, y: tf.Tensor): tf.Tensor => absolute(tf.sub(x, y));

/** d²/2β up to β, then d − β/2; the plain distance where β is 0. */
export function smoothDistances(x: tf.Tensor, y: tf.Tensor, beta: number): tf.Tensor {
  return beta === 0 ? distances(x, y) : rounded(distances(x, y), beta);
}

export const mseLoss: OpFunction<'mse_loss'> = ([x, y], { reduction }) =>
  reduce(squaredDistances(toStandard(x), toStandard(y)), reduction);

export const l1Loss: OpFunction<'l1_loss'> = ([x, y], { reduction }) =>
  reduce(distances(toStandard(x), toStandard(y)), reduction);

export const smoothL1Loss: OpFunction<'smooth_l1_loss'> = ([x, y], { reduction, beta }) =>
  reduce(smoothDistances(toStandard(x), toStandard(y), beta), reduction);

/** d²/2 up to δ, then δ(d − δ/2). */
export const huberLoss: OpFunction<'huber_loss'> = ([x, y], { reduction, delta }) => {
  const distance = distances(toStandard(x), toStandard(y));
  return reduce(tf.mul(rounded(distance, delta), delta), reduction);
};

/** With m = min(d, β): m²/2β + d − m. No comparison, so that the gradient is tfjs's. */
function rounded(distance: tf.Tensor, beta: number): tf.Tensor {
  const near = tf.clipByValue(distance, 0, beta);
  return tf.add(tf.mul(tf.square(near), 0.5 / beta), tf.sub(distance, near));
}

/** The smallest float32 that GPUs do not take for zero. */
const TINY = 2 ** -126;

/** p (log p − x), where the target is p or, with log_target, log p; 0 log 0 is 0. */
export const klDiv: OpFunction<'kl_div'> = ([x, y], { reduction, log_target: isLog }) => {
  const [input, target] = [toStandard(x), toStandard(y)];
  const log = isLog ? target : tf.log(tf.clipByValue(target, TINY, Infinity));
  const elements = tf.mul(isLog ? tf.exp(target) : target, tf.sub(log, input));
  if (reduction !== 'batchmean') return reduce(elements, reduction);
  return standard(tf.div(tf.sum(elements), input.shape[0] ?? 1));
};
