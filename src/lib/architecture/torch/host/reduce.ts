/** Taking axes together on the host. */
import type { HostValue } from '../host.ts';
import type { HostFunctions } from './index.ts';
import { gatherStrided, rowMajor, walkStrided } from './strides.ts';

/** Applies `compute` to the elements that each element of the result is made of. */
function over(
  x: HostValue,
  dims: readonly number[],
  compute: (elements: Float64Array) => number,
): Float64Array {
  const strides = rowMajor(x.shape);
  const axes = x.shape.map((_, axis) => axis);
  const order = [...axes.filter((axis) => !dims.includes(axis)), ...dims];
  const [sizes, steps] = [x.shape, strides].map((list) => order.map((axis) => list[axis]!));
  const gathered = gatherStrided(x.data, sizes!, steps!);
  const count = dims.reduce((product, axis) => product * x.shape[axis]!, 1);
  const results = count === 0 ? 0 : gathered.length / count;
  return Float64Array.from({ length: results }, (_, at) =>
    compute(gathered.subarray(at * count, (at + 1) * count)),
  );
}

/** Replaces the elements along an axis by as many others. */
function along(
  x: HostValue,
  dim: number,
  compute: (elements: Float64Array) => ArrayLike<number>,
): Float64Array {
  if (x.shape.length === 0) return Float64Array.from(compute(x.data));
  const strides = rowMajor(x.shape);
  const [size, step] = [x.shape[dim]!, strides[dim]!];
  const result = new Float64Array(x.data.length);
  const others = x.shape.with(dim, 1);
  walkStrided(others, strides, 0, (_, from) => {
    const line = Float64Array.from({ length: size }, (__, at) => x.data[from + at * step]!);
    const changed = compute(line);
    for (let at = 0; at < size; at++) result[from + at * step] = changed[at]!;
  });
  return result;
}

const total = (elements: Float64Array): number => elements.reduce((sum, value) => sum + value, 0);
const product = (elements: Float64Array): number =>
  elements.reduce((result, value) => result * value, 1);
const largest = (elements: Float64Array): number => elements.reduce((a, b) => Math.max(a, b));
const smallest = (elements: Float64Array): number => elements.reduce((a, b) => Math.min(a, b));

function variance(elements: Float64Array, correction: number): number {
  const mean = total(elements) / elements.length;
  const squares = total(elements.map((value) => (value - mean) ** 2));
  return squares / Math.max(0, elements.length - correction);
}

function running(combine: (a: number, b: number) => number) {
  return (elements: Float64Array): Float64Array => {
    const result = Float64Array.from(elements);
    for (let at = 1; at < result.length; at++) result[at] = combine(result[at - 1]!, result[at]!);
    return result;
  };
}

/** ‖x‖ₚ */
function length(elements: Float64Array, p: number): number {
  const sizes = elements.map(Math.abs);
  switch (p) {
    case Infinity:
      return largest(sizes);
    case -Infinity:
      return smallest(sizes);
    case 0:
      return sizes.filter((size) => size !== 0).length;
    case 2:
      return Math.sqrt(total(sizes.map((size) => size * size)));
    default:
      return total(sizes.map((size) => size ** p)) ** (1 / p);
  }
}

function softmax(elements: Float64Array): Float64Array {
  const most = largest(elements);
  const powers = elements.map((value) => Math.exp(value - most));
  const sum = total(powers);
  return powers.map((value) => value / sum);
}

/** `argmax` and `argmin` of a tensor without axes have no axis to go along. */
const indexDims = (x: HostValue, dim: number): number[] => (x.shape.length === 0 ? [] : [dim]);

export const reduce: HostFunctions = {
  all: ([x], { dims }) => over(x!, dims, (items) => Number(items.every((item) => item !== 0))),
  amax: ([x], { dims }) => over(x!, dims, largest),
  amin: ([x], { dims }) => over(x!, dims, smallest),
  any: ([x], { dims }) => over(x!, dims, (items) => Number(items.some((item) => item !== 0))),
  argmax: ([x], { dim }) => over(x!, indexDims(x!, dim), (items) => items.indexOf(largest(items))),
  argmin: ([x], { dim }) => over(x!, indexDims(x!, dim), (items) => items.indexOf(smallest(items))),
  cumprod: ([x], { dim }) =>
    along(
      x!,
      dim,
      running((a, b) => a * b),
    ),
  cumsum: ([x], { dim }) =>
    along(
      x!,
      dim,
      running((a, b) => a + b),
    ),
  mean: ([x], { dims }) => over(x!, dims, (items) => total(items) / items.length),
  norm: ([x], { dims, p }) => over(x!, dims, (items) => length(items, p)),
  normalize: ([x], { dim, p, eps }) =>
    along(x!, dim, (items) => {
      const size = Math.max(length(items, p), eps);
      return items.map((item) => item / size);
    }),
  prod: ([x], { dims }) => over(x!, dims, product),
  softmax: ([x], { dim }) => along(x!, dim, softmax),
  std: ([x], { dims, correction }) =>
    over(x!, dims, (items) => Math.sqrt(variance(items, correction))),
  sum: ([x], { dims }) => over(x!, dims, total),
  var: ([x], { dims, correction }) => over(x!, dims, (items) => variance(items, correction)),
};
