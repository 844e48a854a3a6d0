/** Two operands: arithmetic, comparisons, logic. */
import type { BinaryOp } from '#lib/architecture/graph.ts';
import type { OpFunction, OpFunctions } from '../../op.ts';
import * as tf from '../../tf.ts';
import { paired, spread, tableOf } from './operands.ts';
import { indicator, withGradient, withoutSlope } from './slope.ts';

type Compute = (x: tf.Tensor, y: tf.Tensor) => tf.Tensor;

/** Both operands in their common shape. */
function together(compute: Compute): Compute {
  return (x, y) => {
    const shape = tf.broadcast_util.assertAndGetBroadcastShape(x.shape, y.shape);
    return compute(spread(x, shape), spread(y, shape));
  };
}

/** At ties each gets half of the gradient. */
function extremum(compute: Compute, isFirst: Compute): Compute {
  return together((x, y) =>
    withGradient([x, y], compute as (...inputs: tf.Tensor[]) => tf.Tensor, (dy, a, b) => {
      const tie = tf.mul(indicator(tf.equal(a!, b!)), 0.5);
      const first = tf.add(indicator(isFirst(a!, b!)), tie);
      return [tf.mul(dy, first), tf.mul(dy, tf.sub(1, first))];
    }),
  );
}

/**
 * ⌊x / y⌋, without a gradient. The quotient that a GPU gives may be off in its last digit, which
 * matters where it is a whole number: the rest tells.
 */
function flooredQuotient(x: tf.Tensor, y: tf.Tensor): tf.Tensor {
  const [a, b] = [tf.cast(x, 'float32'), tf.cast(y, 'float32')];
  const quotient = tf.floor(tf.div(a, b));
  const rest = tf.sub(a, tf.mul(quotient, b));
  const isMore = indicator(tf.greaterEqual(tf.div(rest, b), 1));
  const isLess = indicator(tf.less(tf.mul(rest, tf.sign(b)), 0));
  return tf.sub(tf.add(quotient, isMore), isLess);
}

/** The quotient's whole part, towards 0. */
function truncatedQuotient(x: tf.Tensor, y: tf.Tensor): tf.Tensor {
  const sign = tf.mul(tf.sign(tf.cast(x, 'float32')), tf.sign(tf.cast(y, 'float32')));
  return tf.mul(sign, flooredQuotient(tf.abs(x), tf.abs(y)));
}

const quotient = (rounding: 'floor' | 'trunc'): Compute =>
  together((x, y) =>
    withoutSlope([x, y], (a, b) =>
      tf.cast((rounding === 'floor' ? flooredQuotient : truncatedQuotient)(a!, b!), x.dtype),
    ),
  );
const floored = quotient('floor');
const truncated = quotient('trunc');

/** x − ⌊x / y⌋ · y, so that x has a gradient of 1 and y one of −⌊x / y⌋. */
function rest(wholes: Compute): Compute {
  return (x, y) => tf.sub(x, tf.mul(wholes(x, y), y));
}

/** Whole exponents up to this one are products, which GPUs compute better than powers. */
const LARGEST_PRODUCT = 4;

/** x to the power of a number, with the gradient y · x^(y − 1) for every x. */
function power(x: tf.Tensor, exponent: number): tf.Tensor {
  if (exponent === 0.5) return tf.sqrt(x);
  if (exponent === -0.5) return tf.rsqrt(x);
  if (exponent === -1) return tf.reciprocal(x);
  if (exponent === 0) return withoutSlope([x], (at) => tf.onesLike(at!));
  if (Number.isInteger(exponent) && exponent > 0 && exponent <= LARGEST_PRODUCT) {
    if (exponent === 1) return x;
    const half = power(x, Math.floor(exponent / 2));
    const even = tf.mul(half, half);
    return exponent % 2 === 0 ? even : tf.mul(even, x);
  }
  return withGradient(
    [x],
    (at) => raised(at!, exponent),
    (dy, at) => [tf.mul(dy, tf.mul(raised(at!, exponent - 1), exponent))],
  );
}

const raised = (x: tf.Tensor, exponent: number): tf.Tensor =>
  tf.pow(x, tf.scalar(exponent, x.dtype === 'int32' ? 'int32' : 'float32'));

export const pow: OpFunction<'pow'> = ([x, y], { scalar }) => {
  if (x && !y) return { ...x, tensor: power(x.tensor, scalar) };
  return paired(x, y, scalar, powers);
};

/** Both may vary. At x = 0, y has no gradient unless it is negative. */
const powers: Compute = together((x, y) =>
  withGradient(
    [x, y],
    (a, b) => tf.pow(a!, b!),
    (dy, a, b) => {
      const result = tf.pow(a!, b!);
      const isZero = tf.equal(a!, 0);
      const safe = tf.add(a!, indicator(isZero));
      const slope = tf.mul(b!, tf.pow(a!, tf.sub(b!, 1)));
      const zeroExponent = indicator(tf.notEqual(b!, 0));
      return [
        tf.mul(dy, tf.mul(tf.where(tf.equal(b!, 0), tf.zerosLike(slope), slope), zeroExponent)),
        tf.mul(dy, tf.mul(result, tf.log(safe))),
      ];
    },
  ),
);

const binaries = {
  atan2: tf.atan2,
  eq: tf.equal,
  fmod: rest(truncated),
  ge: tf.greaterEqual,
  gt: tf.greater,
  le: tf.lessEqual,
  logical_and: tf.logicalAnd,
  logical_or: tf.logicalOr,
  logical_xor: tf.logicalXor,
  lt: tf.less,
  maximum: extremum(tf.maximum, tf.greater),
  minimum: extremum(tf.minimum, tf.less),
  mul: tf.mul,
  ne: tf.notEqual,
  remainder: rest(floored),
} satisfies Partial<Record<BinaryOp, Compute>>;

export const arithmetic = {
  ...tableOf(
    binaries,
    (compute: Compute): OpFunction<'mul'> =>
      ([x, y], { scalar }) =>
        paired(x, y, scalar, compute),
  ),
  add: ([x, y], { alpha, scalar }) =>
    paired(x, y, scalar, (a, b) => tf.add(a, alpha === 1 ? b : times(b, alpha))),
  div: ([x, y], { rounding_mode: rounding, scalar }) => {
    const compute = rounding === null ? tf.div : rounding === 'floor' ? floored : truncated;
    return paired(x, y, scalar, compute);
  },
  pow,
  sub: ([x, y], { alpha, scalar }) =>
    paired(x, y, scalar, (a, b) => tf.sub(a, alpha === 1 ? b : times(b, alpha))),
} satisfies OpFunctions;

function times(x: tf.Tensor, factor: number): tf.Tensor {
  return tf.mul(x, tf.scalar(factor, x.dtype));
}
