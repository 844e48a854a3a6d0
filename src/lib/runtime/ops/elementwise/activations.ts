/** Activations; at kinks their gradients are torch's. */
import { standard, toStandard } from '../../activation.ts';
import { gelu, geluGradient, geluTanh, geluTanhGradient } from '../../kernels/gelu.ts';
import type { OpFunction, OpFunctions } from '../../op.ts';
import * as tf from '../../tf.ts';
import { limited } from './choices.ts';
import { expm1, log1p, tanh } from './functions.ts';
import { choose, each, tableOf } from './operands.ts';
import { indicator, withGradient, withSlope } from './slope.ts';

type Compute = (x: tf.Tensor) => tf.Tensor;

/** 1 above 0, `below` elsewhere. */
function aboveZero(x: tf.Tensor, below: tf.Tensor | number): tf.Tensor {
  const isAbove = indicator(tf.greater(x, 0));
  return tf.add(isAbove, tf.mul(tf.sub(1, isAbove), below));
}

/** x between limits, where the gradient is 0. */
function limitedStrictly(x: tf.Tensor, min: number, max: number): tf.Tensor {
  return withSlope(
    x,
    (at) => limited(at, min, max),
    (at) => tf.mul(indicator(tf.greater(at, min)), indicator(tf.less(at, max))),
  );
}

/** x, or alpha · (e^(x · rate) − 1) below 0. */
function exponential(x: tf.Tensor, alpha: number, rate: number): tf.Tensor {
  return withSlope(
    x,
    (at) => {
      const below = tf.mul(tf.minimum(at, 0), rate);
      return tf.add(tf.relu(at), tf.mul(expm1(below), alpha));
    },
    (at) => aboveZero(at, tf.mul(tf.exp(tf.mul(tf.minimum(at, 0), rate)), alpha * rate)),
  );
}

/** log(1 + eˣ), of which no part overflows. */
export function softplus(x: tf.Tensor): tf.Tensor {
  return withSlope(
    x,
    (at) => tf.add(tf.relu(at), log1p(tf.exp(tf.neg(tf.abs(at))))),
    (at) => tf.sigmoid(at),
  );
}

const hardswish: Compute = (x) =>
  withSlope(
    x,
    (at) => tf.div(tf.mul(at, limited(tf.add(at, 3), 0, 6)), 6),
    (at) => {
      const middle = tf.mul(indicator(tf.greater(at, -3)), tf.add(tf.div(at, 3), 0.5));
      const isAbove = indicator(tf.greaterEqual(at, 3));
      return tf.add(isAbove, tf.mul(tf.sub(1, isAbove), middle));
    },
  );

const softsign: Compute = (x) =>
  withSlope(
    x,
    (at) => tf.div(at, tf.add(tf.abs(at), 1)),
    (at) => tf.reciprocal(tf.square(tf.add(tf.abs(at), 1))),
  );

/** The scale and alpha of selu's fixed point (Klambauer and others, 2017). */
const seluScale = 1.0507009873554805;
const seluAlpha = 1.6732632423543772;

const plain = {
  hardsigmoid: (x) => tf.div(limitedStrictly(tf.add(x, 3), 0, 6), 6),
  hardswish,
  logsigmoid: (x) => tf.neg(softplus(tf.neg(x))),
  mish: (x) => tf.mul(x, tanh(softplus(x))),
  relu: tf.relu,
  relu6: (x) => limitedStrictly(x, 0, 6),
  selu: (x) => tf.mul(exponential(x, seluAlpha, 1), seluScale),
  silu: (x) => tf.mul(x, tf.sigmoid(x)),
  softsign,
  tanhshrink: (x) => tf.sub(x, tanh(x)),
} satisfies Record<string, Compute>;

/** x, or weight · x where it is not above 0. */
export const prelu: OpFunction<'prelu'> = ([x, weight]) => {
  const { tensor, layout } = x;
  const above = withSlope(tensor, tf.relu, (at) => indicator(tf.greater(at, 0)));
  const below = withSlope(
    tensor,
    (at) => tf.minimum(at, 0),
    (at) => indicator(tf.lessEqual(at, 0)),
  );
  const count = weight.tensor.size;
  const axes = tensor.shape.map((_, axis) => (axis === 1 && count > 1 ? count : 1));
  const slopes = tf.reshape(weight.tensor, layout === 'last' ? [count] : axes);
  return { tensor: tf.add(above, tf.mul(below, slopes)), layout };
};

/** The first half along an axis times the sigmoid of the second; in three axes, which suffice. */
export const glu: OpFunction<'glu'> = ([x], { dim }) => {
  const input = toStandard(x);
  const half = input.shape[dim]! / 2;
  const before = tf.util.sizeFromShape(input.shape.slice(0, dim));
  const cube = tf.reshape(input, [before, 2 * half, -1]);
  const size = [-1, half, -1];
  const first = tf.slice(cube, [0, 0, 0], size);
  const second = tf.slice(cube, [0, half, 0], size);
  const shape = input.shape.with(dim, half);
  return standard(tf.reshape(tf.mul(first, tf.sigmoid(second)), shape));
};

export const activations = {
  ...tableOf(
    plain,
    (compute: Compute): OpFunction<'relu'> =>
      ([x]) =>
        each(x, compute),
  ),
  celu: ([x], { alpha }) => each(x, (at) => exponential(at, alpha, 1 / alpha)),
  elu: ([x], { alpha }) => each(x, (at) => exponential(at, alpha, 1)),
  gelu: ([x], { approximate }) =>
    each(x, (at) =>
      approximate === 'none'
        ? withGradient(
            [at],
            (y) => gelu(y!),
            (dy, y) => [geluGradient(dy, y!)],
          )
        : withGradient(
            [at],
            (y) => geluTanh(y!),
            (dy, y) => [geluTanhGradient(dy, y!)],
          ),
    ),
  glu,
  hardshrink: ([x], { lambd }) => {
    const isFar = (at: tf.Tensor): tf.Tensor => indicator(tf.greater(tf.abs(at), lambd));
    return each(x, (at) => withSlope(at, (y) => tf.mul(y, isFar(y)), isFar));
  },
  hardtanh: ([x], { min_val: min, max_val: max }) => each(x, (at) => limitedStrictly(at, min, max)),
  leaky_relu: ([x], { negative_slope: slope }) =>
    each(x, (at) =>
      withSlope(
        at,
        (y) => tf.add(tf.relu(y), tf.mul(tf.minimum(y, 0), slope)),
        (y) => aboveZero(y, slope),
      ),
    ),
  prelu,
  softplus: ([x], { beta, threshold }) =>
    each(x, (at) => {
      const scaled = tf.mul(at, beta);
      const curve = tf.div(softplus(scaled), beta);
      return choose(tf.greater(scaled, threshold), at, curve);
    }),
  softshrink: ([x], { lambd }) =>
    each(x, (at) =>
      withSlope(
        at,
        (y) => tf.sub(y, limited(y, -lambd, lambd)),
        (y) => indicator(tf.greater(tf.abs(y), lambd)),
      ),
    ),
  threshold: ([x], { threshold, value }) =>
    each(x, (at) =>
      withSlope(
        at,
        (y) => choose(tf.greater(y, threshold), y, tf.scalar(value)),
        (y) => indicator(tf.greater(y, threshold)),
      ),
    ),
} satisfies OpFunctions;
