/** Arithmetic on the host, in doubles. */
import type { HostValue } from '../host.ts';
import type { HostFunctions } from './index.ts';
import { broadcastStrides, gatherStrided } from './strides.ts';

/** An operand's elements, one for each of the result. */
function spread(value: HostValue, shape: readonly number[]): Float64Array {
  if (value.shape.join() === shape.join()) return value.data;
  return gatherStrided(value.data, shape, broadcastStrides(value.shape, shape));
}

type Inputs = readonly (HostValue | null)[];
type Result = { readonly shape: readonly number[] };

function unary(compute: (x: number) => number) {
  return ([x]: Inputs): Float64Array => x!.data.map((value) => compute(value));
}

/** Applies `compute` to both operands; a null one is the number in `scalar`. */
function paired(
  [x, y]: Inputs,
  scalar: number,
  { shape }: Result,
  compute: (x: number, y: number) => number,
): Float64Array {
  const [left, right] = [x, y].map((operand) => operand && spread(operand, shape));
  const count = (left ?? right)!.length;
  return Float64Array.from({ length: count }, (_, at) =>
    compute(left ? left[at]! : scalar, right ? right[at]! : scalar),
  );
}

function binary(compute: (x: number, y: number) => number) {
  return (inputs: Inputs, { scalar }: { readonly scalar: number }, result: Result) =>
    paired(inputs, scalar, result, compute);
}

export const elementwise: HostFunctions = {
  add: (inputs, { scalar, alpha }, result) =>
    paired(inputs, scalar, result, (x, y) => x + alpha * y),
  sub: (inputs, { scalar, alpha }, result) =>
    paired(inputs, scalar, result, (x, y) => x - alpha * y),
  mul: binary((x, y) => x * y),
  pow: binary(Math.pow),
  neg: unary((x) => -x),
  to: ([x], _, { dtype }) =>
    dtype.startsWith('float') || dtype === 'bool' ? x!.data : x!.data.map(Math.trunc),
};
