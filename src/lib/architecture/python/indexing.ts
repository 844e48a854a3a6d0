/** Integers, indices and slices of sequences. */
import { raised } from './errors.ts';
import type { PySlice } from './collections.ts';
import { typeName, type PyValue } from './object.ts';

/** An int (or bool), as Python's `__index__` takes it. */
export function integer(value: PyValue, what: string): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  throw raised('TypeError', `${what} must be an int, not ${typeName(value)}`);
}

/** The position that an index means; negative ones count from the end. */
export function indexOf(key: PyValue, length: number, what: string): number {
  const given = integer(key, `an index of a ${what}`);
  const index = given < 0n ? given + BigInt(length) : given;
  if (index < 0n || index >= BigInt(length)) {
    throw raised('IndexError', `index ${given} is out of range, the ${what} has ${length} items`);
  }
  return Number(index);
}

/** The bounds that a slice has in a sequence of this length. */
export function sliceBounds(
  slice: PySlice,
  length: number,
): { start: bigint; stop: bigint; stride: bigint } {
  const stride = slice.stride === null ? 1n : integer(slice.stride, 'the step of a slice');
  if (stride === 0n) throw raised('ValueError', 'a slice with a step of 0');
  const size = BigInt(length);
  const low = stride > 0n ? 0n : -1n;
  const high = stride > 0n ? size : size - 1n;
  const clamp = (value: PyValue, fallback: bigint): bigint => {
    if (value === null) return fallback;
    const given = integer(value, 'a bound of a slice');
    const index = given < 0n ? given + size : given;
    return index < low ? low : index > high ? high : index;
  };
  const start = clamp(slice.start, stride > 0n ? low : high);
  const stop = clamp(slice.stop, stride > 0n ? high : low);
  return { start, stop, stride };
}

/** Where a slice starts, which of an empty one is a place between items. */
export function sliceStart(slice: PySlice, length: number): number {
  return Number(sliceBounds(slice, length).start);
}

/** The positions that a slice selects, in order. */
export function sliceIndices(slice: PySlice, length: number): number[] {
  const { start, stop, stride } = sliceBounds(slice, length);
  const indices: number[] = [];
  for (let at = start; stride > 0n ? at < stop : at > stop; at += stride) indices.push(Number(at));
  return indices;
}
