/** Moving elements, on the host. */
import type { HostValue } from '../host.ts';
import type { HostFunctions } from './index.ts';
import { broadcastStrides, gatherStrided, rowMajor } from './strides.ts';

/** Lengths before an axis, of it, and behind it, multiplied. */
function around(shape: readonly number[], dim: number): [number, number, number] {
  const count = (sizes: readonly number[]): number =>
    sizes.reduce((product, size) => product * size, 1);
  return [count(shape.slice(0, dim)), shape[dim]!, count(shape.slice(dim + 1))];
}

/** The elements of an axis at `places`, one after the other. */
function picked(
  data: Float64Array,
  shape: readonly number[],
  dim: number,
  places: readonly number[],
): Float64Array {
  const [before, size, after] = around(shape, dim);
  const result = new Float64Array(before * places.length * after);
  for (let row = 0; row < before; row++) {
    places.forEach((place, at) => {
      const from = (row * size + place) * after;
      result.set(data.subarray(from, from + after), (row * places.length + at) * after);
    });
  }
  return result;
}

/** Parts side by side; `sizes` are theirs along the axis. */
function joined(
  parts: readonly HostValue[],
  before: number,
  sizes: readonly number[],
  after: number,
): Float64Array {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const result = new Float64Array(before * total * after);
  let start = 0;
  parts.forEach(({ data }, part) => {
    const length = sizes[part]! * after;
    for (let row = 0; row < before; row++) {
      result.set(data.subarray(row * length, (row + 1) * length), row * total * after + start);
    }
    start += length;
  });
  return result;
}

function remainder(at: number, size: number): number {
  return ((at % size) + size) % size;
}

const range = (length: number): number[] => Array.from({ length }, (_, at) => at);

export const shape: HostFunctions = {
  reshape: ([x]) => x!.data,
  permute: ([x], { dims }, result) => {
    const strides = rowMajor(x!.shape);
    return gatherStrided(
      x!.data,
      result.shape,
      dims.map((dim) => strides[dim]!),
    );
  },
  expand: ([x], _, result) =>
    gatherStrided(x!.data, result.shape, broadcastStrides(x!.shape, result.shape)),
  repeat: ([x], { repeats }) => {
    const missing = repeats.length - x!.shape.length;
    const whole: number[] = [...new Array<number>(missing).fill(1), ...x!.shape];
    let data = x!.data;
    repeats.forEach((times, axis) => {
      const size = whole[axis]!;
      const places = range(times * size).map((at) => at % size);
      data = picked(data, whole, axis, places);
      whole[axis] = places.length;
    });
    return data;
  },
  repeat_interleave: ([x], { repeats, dim }) => {
    const places = range(x!.shape[dim]! * repeats).map((at) => Math.floor(at / repeats));
    return picked(x!.data, x!.shape, dim, places);
  },
  slice: ([x], { start, step }, result) => {
    const strides = rowMajor(x!.shape);
    const offset = start.reduce((sum, at, axis) => sum + at * strides[axis]!, 0);
    const steps = strides.map((stride, axis) => stride * step[axis]!);
    return gatherStrided(x!.data, result.shape, steps, offset);
  },
  cat: (inputs, { dim }) => {
    const parts = inputs as readonly HostValue[];
    const [before, , after] = around(parts[0]!.shape, dim);
    return joined(
      parts,
      before,
      parts.map((part) => part.shape[dim]!),
      after,
    );
  },
  stack: (inputs, { dim }, result) => {
    const [before, , after] = around(result.shape, dim);
    return joined(
      inputs as readonly HostValue[],
      before,
      inputs.map(() => 1),
      after,
    );
  },
  pad: ([x], { pad, mode, value }) => {
    let { data } = x!;
    const whole = [...x!.shape];
    pad.forEach(([before, after], axis) => {
      const size = whole[axis]!;
      const places = range(size + before + after).map((at) => paddedPlace(at - before, size, mode));
      const outside = places.map((place) => place === null);
      const [rows, , behind] = around(whole, axis);
      data = picked(
        data,
        whole,
        axis,
        places.map((place) => place ?? 0),
      );
      for (let row = 0; row < rows; row++) {
        outside.forEach((isOutside, at) => {
          const from = (row * places.length + at) * behind;
          if (isOutside) data.fill(value, from, from + behind);
        });
      }
      whole[axis] = places.length;
    });
    return data;
  },
  roll: ([x], { shifts, dims }) =>
    dims.reduce((data, dim, at) => {
      const size = x!.shape[dim]!;
      const places = range(size).map((place) => remainder(place - shifts[at]!, size));
      return picked(data, x!.shape, dim, places);
    }, x!.data),
};

/** The place that a padded axis shows at `at`; null is the constant. */
function paddedPlace(at: number, size: number, mode: string): number | null {
  if (at >= 0 && at < size) return at;
  switch (mode) {
    case 'reflect':
      return at < 0 ? -at : 2 * (size - 1) - at;
    case 'replicate':
      return at < 0 ? 0 : size - 1;
    case 'circular':
      return remainder(at, size);
    default:
      return null;
  }
}
