/** Sums, means and what is made of them. */
import { toStandard, standard } from '../../activation.ts';
import { offTape } from '../../off_tape.ts';
import type { OpFunctions } from '../../op.ts';
import * as tf from '../../tf.ts';
import { choose } from '../elementwise/operands.ts';
import { indicator, withGradient, withSlope, withoutSlope } from '../elementwise/slope.ts';
import { shared } from './extremes.ts';
import { reduced } from './lines.ts';

/** Σ (x − mean)² / (n − correction) */
function variance(x: tf.Tensor, axes: number[], correction: number): tf.Tensor {
  const count = tf.util.sizeFromShape(axes.map((axis) => x.shape[axis]!));
  const centred = tf.sub(x, tf.mean(x, axes, true));
  return tf.div(tf.sum(tf.square(centred), axes), Math.max(0, count - correction));
}

/** √x, whose gradient is 0 at 0, as torch has it for deviations. */
function root(x: tf.Tensor): tf.Tensor {
  return withSlope(x, tf.sqrt, (at) => {
    const isZero = indicator(tf.equal(at, 0));
    return tf.div(tf.sub(1, isZero), tf.mul(tf.sqrt(tf.add(at, isZero)), 2));
  });
}

/** x^p of what is not negative; WebGPU's own powers of whole exponents are coarser. */
function powered(x: tf.Tensor, p: number): tf.Tensor {
  if (p === 1) return x;
  return p === 2 ? tf.square(x) : tf.pow(x, tf.scalar(p));
}

function lengthOf(x: tf.Tensor, axes: number[], p: number): tf.Tensor {
  const sum = tf.sum(powered(tf.abs(x), p), axes, true);
  return p === 2 ? tf.sqrt(sum) : p === 1 ? sum : tf.pow(sum, tf.scalar(1 / p));
}

/** ‖x‖ₚ with the reduced axes kept. Its gradient is sign(x) · (|x| / ‖x‖)^(p − 1), and 0 where that is 0 / 0. */
export function norm(x: tf.Tensor, axes: number[], p: number): tf.Tensor {
  if (p === Infinity) return shared('max', withSlope(x, tf.abs, tf.sign), axes);
  if (p === -Infinity) return shared('min', withSlope(x, tf.abs, tf.sign), axes);
  if (p === 0) {
    return withoutSlope([x], (at) => tf.sum(indicator(tf.notEqual(at!, 0)), axes, true));
  }
  return withGradient(
    [x],
    (at) => lengthOf(at!, axes, p),
    (dy, at) => {
      const length = lengthOf(at!, axes, p);
      const safe = tf.add(length, indicator(tf.equal(length, 0)));
      const size = tf.add(tf.abs(at!), indicator(tf.equal(at!, 0)));
      const share = p === 1 ? tf.onesLike(size) : powered(tf.div(size, safe), p - 1);
      return [tf.mul(dy, tf.mul(tf.sign(at!), share))];
    },
  );
}

/** log Σ eˣ, of which no part overflows. */
function logSumExp(x: tf.Tensor, axes: number[]): tf.Tensor {
  const most = offTape(tf.max(x, axes, true));
  const shift = choose(tf.isInf(most), tf.scalar(0), most);
  const sum = tf.sum(tf.exp(tf.sub(x, shift)), axes, true);
  return tf.squeeze(tf.add(tf.log(sum), shift), axes);
}

export const sums = {
  logsumexp: ([x], { dims, keepdim }) => reduced(x, dims, keepdim, logSumExp),
  mean: ([x], { dims, keepdim }) => reduced(x, dims, keepdim, (at, axes) => tf.mean(at, axes)),
  norm: ([x], { dims, keepdim, p }) =>
    reduced(x, dims, keepdim, (at, axes) => tf.squeeze(norm(at, axes, p), axes)),
  normalize: ([x], { dim, p, eps }) => {
    const input = toStandard(x);
    const length = norm(input, input.rank === 0 ? [] : [dim], p);
    const limited = withSlope(
      length,
      (at) => tf.maximum(at, eps),
      (at) => indicator(tf.greaterEqual(at, eps)),
    );
    return standard(tf.div(input, limited));
  },
  std: ([x], { dims, keepdim, correction }) =>
    reduced(x, dims, keepdim, (at, axes) => root(variance(at, axes, correction))),
  sum: ([x], { dims, keepdim }) => reduced(x, dims, keepdim, (at, axes) => tf.sum(at, axes)),
  var: ([x], { dims, keepdim, correction }) =>
    reduced(x, dims, keepdim, (at, axes) => variance(at, axes, correction)),
} satisfies OpFunctions;
