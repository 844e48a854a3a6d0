/**
 * An array as rows along its first axis. A small one is read once and stays in memory as it is
 * stored; of a larger one, rows are ranges of the file that are read when they are asked for.
 */
import { dtypes, itemsize, type Dtype } from '#lib/checkpoint/dtype.ts';
import { toFloat32, toInt32 } from '#lib/checkpoint/elements.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { contiguousStrides, isContiguous, numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import { DataError } from './choices.ts';

/** Bytes of an array up to which it stays in memory: MNIST, CIFAR and the like. */
const KEPT = 2 ** 28;
/** Bytes up to which an array does where its rows cannot be read by themselves. */
const KEPT_AT_NEED = 2 ** 31 - 1;

/** Rows that lie this near to one another are read together, with what is between them. */
const GAP = 2 ** 16;
/** Bytes that are read together. */
const TOGETHER = 2 ** 23;
/** Reads under way. */
const AT_ONCE = 16;

export interface Rows {
  readonly name: string;
  readonly dtype: Dtype;
  readonly count: number;
  /** Shape and number of elements of one row. */
  readonly shape: readonly number[];
  readonly size: number;
  /** Little-endian bytes of the rows at `indices`, one behind the other; not to be written to. */
  read(indices: ArrayLike<number>, signal?: AbortSignal): Promise<Uint8Array>;
}

export interface RowsLimits {
  readonly kept: number;
  readonly keptAtNeed: number;
}

/** Throws a FindingError where rows can neither be kept nor be read by themselves. */
export async function openRows(
  tensor: Tensor,
  name: string,
  signal?: AbortSignal,
  { kept, keptAtNeed }: RowsLimits = { kept: KEPT, keptAtNeed: KEPT_AT_NEED },
): Promise<Rows> {
  const { dtype, storage } = tensor;
  const [count = 1, ...shape] = tensor.shape;
  const facts = { name, dtype, count, shape, size: numel(shape) };
  const bytes = numel(tensor.shape) * itemsize(dtype);
  const isRanges =
    storage.sequential !== true && isContiguous({ shape, strides: tensor.strides.slice(1) });
  if (bytes > kept && isRanges) return { ...facts, read: (...args) => readRows(tensor, ...args) };
  if (bytes > keptAtNeed) {
    throw new DataError(
      `${name} takes ${bytes} bytes, at most ${keptAtNeed} fit in memory, and it is ${storage.sequential ? 'compressed' : 'not stored row by row'}`,
      storage.sequential
        ? 'Save it with numpy.savez or numpy.save, which do not compress: it is then read from the disk, batch by batch.'
        : 'Save numpy.ascontiguousarray of it: it is then read from the disk, batch by batch.',
    );
  }
  const all = await readTensor(tensor, signal);
  const row = facts.size * itemsize(dtype);
  return { ...facts, read: (indices) => Promise.resolve(gather(all, row, indices)) };
}

function gather(all: Uint8Array, row: number, indices: ArrayLike<number>): Uint8Array {
  const out = new Uint8Array(indices.length * row);
  for (let at = 0; at < indices.length; at++) {
    out.set(all.subarray(indices[at]! * row, (indices[at]! + 1) * row), at * row);
  }
  return out;
}

/** Rows that are read together, and where each of them goes. */
interface Run {
  readonly first: number;
  last: number;
  readonly places: { readonly index: number; readonly to: number }[];
}

async function readRows(
  tensor: Tensor,
  indices: ArrayLike<number>,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const shape = tensor.shape.slice(1);
  const row = numel(shape) * itemsize(tensor.dtype);
  const out = new Uint8Array(indices.length * row);
  const runs = runsOf(indices, row);
  for (let start = 0; start < runs.length; start += AT_ONCE) {
    const reading = runs.slice(start, start + AT_ONCE).map(async ({ first, last, places }) => {
      const bytes = await readTensor(
        {
          ...tensor,
          shape: [last - first + 1, ...shape],
          // Of one row, the stride over rows does not matter, and the others are a range.
          strides: last === first ? contiguousStrides([1, ...shape]) : tensor.strides,
          offset: tensor.offset + first * tensor.strides[0]!,
        },
        signal,
      );
      for (const { index, to } of places) {
        const from = (index - first) * row;
        out.set(bytes.subarray(from, from + row), to * row);
      }
    });
    await Promise.all(reading);
  }
  return out;
}

function runsOf(indices: ArrayLike<number>, row: number): Run[] {
  const places = Array.from(indices, (index, to) => ({ index, to }));
  const runs: Run[] = [];
  for (const place of places.sort((a, b) => a.index - b.index)) {
    const run = runs.at(-1);
    const isNear =
      run &&
      (place.index - run.last - 1) * row <= GAP &&
      (place.index - run.first + 1) * row <= TOGETHER;
    if (isNear) {
      run.last = place.index;
      run.places.push(place);
    } else runs.push({ first: place.index, last: place.index, places: [place] });
  }
  return runs;
}

/** Elements of rows as float32. Complex, packed and quantized ones are none: a RangeError. */
export async function floatRows(
  rows: Rows,
  indices: ArrayLike<number>,
  signal?: AbortSignal,
): Promise<Float32Array<ArrayBuffer>> {
  return toFloat32(await rows.read(indices, signal), rows.dtype);
}

/** Elements of rows as integers of 32 bits; floats where each is whole. Else a FindingError. */
export async function integerRows(
  rows: Rows,
  indices: ArrayLike<number>,
  signal?: AbortSignal,
): Promise<Int32Array<ArrayBuffer>> {
  return integers(await rows.read(indices, signal), rows);
}

/** Elements of an array of this name and dtype as integers. */
export function integers(
  bytes: Uint8Array,
  rows: { readonly name: string; readonly dtype: Dtype },
): Int32Array<ArrayBuffer> {
  if (dtypes[rows.dtype].kind !== 'float') {
    try {
      return toInt32(bytes, rows.dtype);
    } catch (error) {
      throw unlike(rows, (error as Error).message);
    }
  }
  const floats = toFloat32(bytes, rows.dtype);
  const values = Int32Array.from(floats);
  const odd = floats.findIndex((value, at) => value !== values[at]);
  if (odd >= 0) throw unlike(rows, `${floats[odd]} is no whole number of 32 bits`);
  return values;
}

function unlike({ name, dtype }: { name: string; dtype: Dtype }, what: string): DataError {
  return new DataError(
    `${name} is ${dtype}, expected integers: ${what}`,
    'Save it as int64, or use its numbers as they are.',
  );
}
