/** Functions of single elements. */
import type { UnaryOp } from '#lib/architecture/graph.ts';
import * as special from '../../kernels/special.ts';
import { offTape } from '../../off_tape.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { choose, each, tableOf } from './operands.ts';
import { withoutSlope, withSlope } from './slope.ts';

type Compute = (x: tf.Tensor) => tf.Tensor;

/** |x|; at 0 the gradient is 0, not tfjs's −1. */
const abs: Compute = (x) => withSlope(x, tf.abs, tf.sign);

export const sin: Compute = (x) => withSlope(x, special.sin, special.cos);
export const cos: Compute = (x) => withSlope(x, special.cos, (at) => tf.neg(special.sin(at)));
export const expm1: Compute = (x) => withSlope(x, special.expm1, tf.exp);
export const log1p: Compute = (x) =>
  withSlope(x, special.log1p, (at) => tf.reciprocal(tf.add(at, 1)));
export const tanh: Compute = (x) =>
  withSlope(x, special.tanh, (at) => tf.sub(1, tf.square(special.tanh(at))));

/** The gradient is 2 / √π · exp(−x²). */
export const erf: Compute = (x) =>
  withSlope(x, special.erf, (at) => tf.mul(tf.exp(tf.neg(tf.square(at))), 2 / Math.sqrt(Math.PI)));

/** Half of e^x − e^−x, each less 1 so that no digits are lost near 0. */
const sinh: Compute = (x) => tf.mul(tf.sub(expm1(x), expm1(tf.neg(x))), 0.5);

const trunc: Compute = (x) =>
  withoutSlope([x], (at) => choose(tf.less(at!, 0), tf.ceil(at!), tf.floor(at!)));

const functions = {
  abs,
  acos: tf.acos,
  asin: tf.asin,
  atan: tf.atan,
  ceil: tf.ceil,
  cos,
  cosh: tf.cosh,
  detach: offTape,
  erf,
  exp: tf.exp,
  expm1,
  floor: tf.floor,
  isinf: tf.isInf,
  isnan: tf.isNaN,
  log: tf.log,
  log10: (x) => tf.mul(tf.log(x), Math.LOG10E),
  log1p,
  log2: (x) => tf.mul(tf.log(x), Math.LOG2E),
  logical_not: tf.logicalNot,
  neg: tf.neg,
  reciprocal: tf.reciprocal,
  round: tf.round,
  rsqrt: tf.rsqrt,
  sigmoid: tf.sigmoid,
  sign: tf.sign,
  sin,
  sinh,
  sqrt: tf.sqrt,
  square: tf.square,
  tan: (x) => tf.div(sin(x), cos(x)),
  tanh,
  trunc,
} satisfies Partial<Record<UnaryOp | 'detach', Compute>>;

export const unaries = tableOf(
  functions,
  (compute: Compute): OpFunction<UnaryOp> =>
    ([x]) =>
      each(x, compute),
);
