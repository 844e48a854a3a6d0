/**
 * An array as rows along its first axis. A small one is read once and stays in memory as it is
 * stored; of a larger one, rows are ranges of the file that are read when they are asked for.
 */
import { dtypes, itemsize, type Dtype } from '#lib/checkpoint/dtype.ts';
import { toFloat32, toInt32 } from '#lib/checkpoint/elements.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { contiguousStrides, isContiguous, numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import { DataError } from './choices.ts';
import { readTogether } from './read_together.ts';

/** Bytes of an array up to which it stays in memory: MNIST, CIFAR and the like. */
const KEPT = 2 ** 28;
/** Bytes up to which an array does where its rows cannot be read by themselves. */
const KEPT_AT_NEED = 2 ** 31 - 1;

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
  if (bytes > kept && isRanges) return rangeRows(tensor, name);
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

/** Rows that are ranges of the storage, read when they are asked for. */
export function rangeRows(tensor: Tensor, name: string): Rows {
  const [count = 1, ...shape] = tensor.shape;
  return {
    ...{ name, dtype: tensor.dtype, count, shape, size: numel(shape) },
    read: (indices, signal) => readRows(tensor, indices, signal),
  };
}

function gather(all: Uint8Array, row: number, indices: ArrayLike<number>): Uint8Array {
  const out = new Uint8Array(indices.length * row);
  for (let at = 0; at < indices.length; at++) {
    out.set(all.subarray(indices[at]! * row, (indices[at]! + 1) * row), at * row);
  }
  return out;
}

async function readRows(
  tensor: Tensor,
  indices: ArrayLike<number>,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const shape = tensor.shape.slice(1);
  const row = numel(shape) * itemsize(tensor.dtype);
  const out = new Uint8Array(indices.length * row);
  if (row === 0) return out;
  const ranges = Array.from(indices, (index) => ({ start: index * row, end: (index + 1) * row }));
  const read = (start: number, end: number) => {
    const [first, count] = [start / row, (end - start) / row];
    // Of one row, the stride over rows does not matter, and the others are a range.
    const strides = count === 1 ? contiguousStrides([1, ...shape]) : tensor.strides;
    const offset = tensor.offset + first * tensor.strides[0]!;
    return readTensor({ ...tensor, shape: [count, ...shape], strides, offset }, signal);
  };
  for (const [at, bytes] of (await readTogether(ranges, read)).entries()) out.set(bytes, at * row);
  return out;
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
