/** Arithmetic on the host, in doubles. */
import type { BinaryOp, UnaryOp } from '../../graph.ts';
import { raised } from '../../python/errors.ts';
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import type { HostValue } from '../host.ts';
import { erf, log1pExp } from './special.ts';
import type { HostFunctions } from './index.ts';
import { broadcastStrides, gatherStrided } from './strides.ts';

type Inputs = readonly (HostValue | null)[];
interface Result {
  readonly shape: readonly number[];
  readonly dtype: Dtype;
}

/** An operand's elements, one for each of the result. */
function spread(value: HostValue, shape: readonly number[]): Float64Array {
  if (value.shape.join() === shape.join()) return value.data;
  return gatherStrided(value.data, shape, broadcastStrides(value.shape, shape));
}

/** Applies `compute` to both operands; a null one is the number in `scalar`, as float32 if they are. */
function paired(
  [x, y]: Inputs,
  scalar: number,
  { shape }: Result,
  compute: (x: number, y: number) => number,
): Float64Array {
  const [left, right] = [x, y].map((operand) => operand && spread(operand, shape));
  const given = (x ?? y)!.dtype === 'float32' ? Math.fround(scalar) : scalar;
  const count = (left ?? right)!.length;
  return Float64Array.from({ length: count }, (_, at) =>
    compute(left ? left[at]! : given, right ? right[at]! : given),
  );
}

/** x modulo y, with the sign of y. */
function modulo(x: number, y: number): number {
  const rest = x % y;
  return rest !== 0 && rest < 0 !== y < 0 ? rest + y : rest;
}

const numbers: Partial<Record<BinaryOp, (x: number, y: number) => number>> = {
  atan2: Math.atan2,
  eq: (x, y) => Number(x === y),
  fmod: (x, y) => x % y,
  ge: (x, y) => Number(x >= y),
  gt: (x, y) => Number(x > y),
  le: (x, y) => Number(x <= y),
  logical_and: (x, y) => Number(x !== 0 && y !== 0),
  logical_or: (x, y) => Number(x !== 0 || y !== 0),
  logical_xor: (x, y) => Number((x !== 0) !== (y !== 0)),
  lt: (x, y) => Number(x < y),
  maximum: Math.max,
  minimum: Math.min,
  mul: (x, y) => x * y,
  ne: (x, y) => Number(x !== y),
  pow: (x, y) => (x === 1 ? 1 : x ** y),
  remainder: modulo,
};

function binary(compute: (x: number, y: number) => number) {
  return (inputs: Inputs, { scalar }: { readonly scalar: number }, result: Result) =>
    paired(inputs, scalar, result, compute);
}

/** Integers have no infinity to give. */
function demandDivisor(y: number, dtype: Dtype): void {
  if (y === 0 && dtype.includes('int')) throw raised('RuntimeError', 'ZeroDivisionError');
}

function quotient(x: number, y: number, rounding: 'floor' | 'trunc' | null): number {
  if (rounding === null) return x / y;
  if (rounding === 'trunc') return Math.trunc(x / y);
  return y === 0 ? x / y : Math.round((x - modulo(x, y)) / y);
}

const { round: roundUp } = Math;

/** To the nearest, ties to even. */
function roundEven(x: number): number {
  return Math.abs(x % 1) === 0.5 ? 2 * roundUp(x / 2) : roundUp(x);
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const seluScale = 1.0507009873554805;
const seluAlpha = 1.6732632423543772;

const functions: Partial<Record<UnaryOp, (x: number) => number>> = {
  abs: Math.abs,
  acos: Math.acos,
  asin: Math.asin,
  atan: Math.atan,
  ceil: Math.ceil,
  cos: Math.cos,
  cosh: Math.cosh,
  erf,
  exp: Math.exp,
  expm1: Math.expm1,
  floor: Math.floor,
  hardsigmoid: (x) => Math.min(Math.max(x + 3, 0), 6) / 6,
  hardswish: (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
  isinf: (x) => Number(Math.abs(x) === Infinity),
  isnan: (x) => Number(Number.isNaN(x)),
  log: Math.log,
  log10: Math.log10,
  log1p: Math.log1p,
  log2: Math.log2,
  logical_not: (x) => Number(x === 0),
  logsigmoid: (x) => -log1pExp(-x),
  mish: (x) => x * Math.tanh(log1pExp(x)),
  neg: (x) => -x,
  reciprocal: (x) => 1 / x,
  relu: (x) => (x < 0 ? 0 : x),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  round: roundEven,
  rsqrt: (x) => 1 / Math.sqrt(x),
  selu: (x) => seluScale * (x > 0 ? x : seluAlpha * Math.expm1(x)),
  sigmoid,
  sign: (x) => (Number.isNaN(x) ? 0 : Math.sign(x)),
  silu: (x) => x * sigmoid(x),
  sin: Math.sin,
  sinh: Math.sinh,
  softsign: (x) => x / (1 + Math.abs(x)),
  sqrt: Math.sqrt,
  square: (x) => x * x,
  tan: Math.tan,
  tanh: Math.tanh,
  tanhshrink: (x) => x - Math.tanh(x),
  trunc: Math.trunc,
};

function unary(compute: (x: number) => number) {
  return ([x]: Inputs): Float64Array => x!.data.map((value) => compute(value));
}

const unaries: HostFunctions = Object.fromEntries(
  Object.entries(functions).map(([op, compute]) => [op, unary(compute)]),
);
const binaries: HostFunctions = Object.fromEntries(
  Object.entries(numbers).map(([op, compute]) => [op, binary(compute)]),
);

export const elementwise: HostFunctions = {
  ...unaries,
  ...binaries,
  add: (inputs, { scalar, alpha }, result) =>
    paired(inputs, scalar, result, (x, y) => x + alpha * y),
  clamp: ([x], { min, max }) =>
    x!.data.map((value) => Math.min(Math.max(value, min ?? -Infinity), max ?? Infinity)),
  detach: ([x]) => x!.data,
  div: (inputs, { scalar, rounding_mode: rounding }, result) =>
    paired(inputs, scalar, result, (x, y) => {
      demandDivisor(y, result.dtype);
      return quotient(x, y, rounding);
    }),
  nan_to_num: ([x], { nan, posinf, neginf }) =>
    x!.data.map((value) => {
      if (Number.isNaN(value)) return nan;
      return value === Infinity ? posinf : value === -Infinity ? neginf : value;
    }),
  sub: (inputs, { scalar, alpha }, result) =>
    paired(inputs, scalar, result, (x, y) => x - alpha * y),
  to: ([x], _, { dtype }) => (dtype.includes('int') ? x!.data.map(Math.trunc) : x!.data),
  where: ([condition, x, y], attrs, { shape }) => {
    const isTrue = spread(condition!, shape);
    const [left, right] = [x, y].map((operand) => operand && spread(operand!, shape));
    return isTrue.map((value, at) =>
      value !== 0 ? (left ? left[at]! : attrs.x) : right ? right[at]! : attrs.y,
    );
  },
};
