import { standard, toStandard, type Activation } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { softmaxRows } from './softmax_rows.ts';

export const softmax: OpFunction<'softmax'> = ([x], { dim }) => along(x, dim, softmaxRows);

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
