/** Picking and replacing elements by index, on the host. */
import { raised } from '../../python/errors.ts';
import type { HostValue } from '../host.ts';
import type { HostFunctions } from './index.ts';
import { broadcastStrides, gatherStrided, rowMajor, walkStrided } from './strides.ts';

type Data = { readonly data: Float64Array; readonly shape: readonly number[] };

/** Where each element of `x[indices]` lies in x. */
function placesOf(
  x: Data,
  dims: readonly number[],
  indices: readonly Data[],
  shape: readonly number[],
): Float64Array {
  const strides = rowMajor(x.shape);
  const others = strides.filter((_, axis) => !dims.includes(axis));
  const isTogether = dims.every((dim, at) => at === 0 || dim === dims[at - 1]! + 1);
  const front = isTogether ? dims[0]! : 0;
  const common = shape.slice(front, shape.length - (others.length - front));
  const steps = others.toSpliced(front, 0, ...common.map(() => 0));
  const places = new Float64Array(shape.reduce((product, size) => product * size, 1));
  walkStrided(shape, steps, 0, (at, from) => {
    places[at] = from;
  });
  indices.forEach((index, at) => {
    const size = x.shape[dims[at]!]!;
    const own = broadcastStrides(index.shape, common);
    const spread = others.map(() => 0).toSpliced(front, 0, ...own);
    walkStrided(shape, spread, 0, (place, from) => {
      places[place]! += within(index.data[from]!, size) * strides[dims[at]!]!;
    });
  });
  return places;
}

function within(index: number, size: number): number {
  const at = index < 0 ? index + size : index;
  if (at >= 0 && at < size) return at;
  throw raised('IndexError', `index ${index} is out of range for a dimension of size ${size}`);
}

/** Where the elements that gather picks lie in x. */
function alongPlaces(x: Data, dim: number, index: Data): Float64Array {
  const strides = rowMajor(x.shape);
  const places = new Float64Array(index.data.length);
  walkStrided(index.shape, strides.with(dim, 0), 0, (at, from) => {
    places[at] = from + within(index.data[at]!, x.shape[dim]!) * strides[dim]!;
  });
  return places;
}

/** x with the elements at `places` replaced, or added to. */
function replaced(
  x: Data,
  places: Float64Array,
  value: (at: number) => number,
  add: boolean,
): Float64Array {
  const result = x.data.slice();
  places.forEach((place, at) => {
    result[place] = value(at) + (add ? result[place]! : 0);
  });
  return result;
}

export const picking: HostFunctions = {
  slice_scatter: ([x, value], { start, size, step }) => {
    const strides = rowMajor(x!.shape);
    const offset = start.reduce((sum, at, axis) => sum + at * strides[axis]!, 0);
    const result = x!.data.slice();
    const steps = strides.map((stride, axis) => stride * step[axis]!);
    walkStrided(size, steps, offset, (at, place) => {
      result[place] = value!.data[at]!;
    });
    return result;
  },
  index: ([x, ...indices], { dims }, { shape }) => {
    const data = x!.data;
    return placesOf(x!, dims, indices as HostValue[], shape).map((place) => data[place]!);
  },
  index_put: ([x, value, ...indices], { dims, accumulate }) => {
    const places = placesOf(x!, dims, indices as HostValue[], value!.shape);
    return replaced(x!, places, (at) => value!.data[at]!, accumulate);
  },
  index_select: ([x, index], { dim }, { shape }) =>
    placesOf(x!, [dim], [index!], shape).map((place) => x!.data[place]!),
  gather: ([x, index], { dim }) => alongPlaces(x!, dim, index!).map((place) => x!.data[place]!),
  scatter: ([x, index, src], { dim, add, scalar }) =>
    replaced(x!, alongPlaces(x!, dim, index!), (at) => (src ? src.data[at]! : scalar), add),
  tril: ([x], { diagonal }) => triangle(x!, (row, column) => column - row <= diagonal),
  triu: ([x], { diagonal }) => triangle(x!, (row, column) => column - row >= diagonal),
  flip: ([x], { dims }) => {
    const strides = rowMajor(x!.shape);
    const offset = dims.reduce((sum, dim) => sum + (x!.shape[dim]! - 1) * strides[dim]!, 0);
    const steps = strides.map((stride, axis) => (dims.includes(axis) ? -stride : stride));
    return gatherStrided(x!.data, x!.shape, steps, offset);
  },
};

function triangle(
  { data, shape }: Data,
  isKept: (row: number, column: number) => boolean,
): Float64Array {
  const [rows, columns] = shape.slice(-2) as [number, number];
  return data.map((value, at) => {
    const place = at % (rows * columns);
    return isKept(Math.floor(place / columns), place % columns) ? value : 0;
  });
}
