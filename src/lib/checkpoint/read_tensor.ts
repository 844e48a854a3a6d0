/**
 * The elements of a tensor as the bytes of a row-major array, whatever way it looks into its
 * storage. Contiguous ones are ranges of the storage; others are gathered from pieces of it in the
 * order in which they lie there, so that a small view of a huge storage costs little memory.
 */
import { dtypes, itemsize, wordSize } from './dtype.ts';
import { PIECE, ReadAhead, type Range } from '#lib/file/read_ahead.ts';
import {
  contiguousStrides,
  isContiguous,
  numel,
  span,
  type Storage,
  type Tensor,
} from './tensor.ts';

/**
 * Reads a tensor's elements in row-major order: `numel × itemsize` little-endian bytes in a fresh
 * or shared array that must not be written to.
 */
export async function readTensor(tensor: Tensor, signal?: AbortSignal): Promise<Uint8Array> {
  const bytes = isContiguous(tensor)
    ? await tensor.storage.read(...byteSpan(tensor), signal)
    : await gather(tensor, signal);
  return resolved(bytes, tensor);
}

/**
 * Elements `start` to `end` of the row-major order, as `readTensor` gives them. Of a view that is not
 * contiguous, only the part of the storage is read that they lie in.
 */
export async function readElements(
  tensor: Tensor,
  start: number,
  end: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const size = itemsize(tensor.dtype);
  if (isContiguous(tensor)) {
    const first = tensor.offset * size;
    const bytes = await tensor.storage.read(first + start * size, first + end * size, signal);
    return resolved(bytes, tensor);
  }
  const out = new Uint8Array((end - start) * size);
  let at = 0;
  for (const part of partsOf(tensor, start, end)) {
    const bytes = await readTensor(part, signal);
    out.set(bytes, at);
    at += bytes.length;
  }
  return out;
}

/** Views that together are the elements `start` to `end`: whole rows, and parts of the first and last. */
function* partsOf(tensor: Tensor, start: number, end: number): Generator<Tensor> {
  const { shape, strides, offset } = tensor;
  const total = numel(shape);
  if (start >= end) return;
  if (start === 0 && end === total) {
    yield tensor;
    return;
  }
  const [rows, ...inner] = shape;
  const row = total / rows!;
  const at = (index: number) => offset + index * strides[0]!;
  const [from, to] = [Math.ceil(start / row), Math.floor(end / row)];
  const rowOf = (index: number): Tensor => ({
    ...tensor,
    shape: inner,
    strides: strides.slice(1),
    offset: at(index),
  });
  if (from > to) {
    yield* partsOf(rowOf(to), start - to * row, end - to * row);
    return;
  }
  if (start < from * row) yield* partsOf(rowOf(from - 1), start - (from - 1) * row, row);
  if (from < to) yield { ...tensor, shape: [to - from, ...inner], offset: at(from) };
  if (end > to * row) yield* partsOf(rowOf(to), 0, end - to * row);
}

/** Whether a view can be read range by range without reading its storage many times over. */
export function readsByRange(tensor: Tensor): boolean {
  if (isContiguous(tensor) || numel(tensor.shape) * itemsize(tensor.dtype) <= PIECE) return true;
  return blocks(tensor, PIECE).length > 1;
}

/**
 * What `readTensor` gives, in pieces of `piece` bytes, whole elements, or somewhat less. A piece is
 * good until the next one is asked for.
 */
export function tensorChunks(
  tensor: Tensor,
  signal?: AbortSignal,
  piece = PIECE,
): AsyncGenerator<Uint8Array> {
  const [chunks] = tensorsInTurn([tensor], signal, 1, piece);
  return chunks!;
}

/**
 * The chunks of each of several tensors, to be used up one after the other: they are read ahead, as
 * one of several `streams` that share the memory.
 */
export function* tensorsInTurn(
  tensors: readonly Tensor[],
  signal?: AbortSignal,
  streams = 1,
  piece = PIECE,
): Generator<AsyncGenerator<Uint8Array>> {
  const ranges = tensors.filter(isContiguous).map(tensorRange);
  const reading = new ReadAhead(ranges, signal, streams, piece);
  for (const tensor of tensors) {
    if (isContiguous(tensor)) {
      const [start, end] = byteSpan(tensor);
      yield contiguousChunks(tensor, reading.next(end - start));
    } else {
      yield gatheredChunks(tensor, signal, piece);
    }
  }
}

async function* contiguousChunks(
  tensor: Tensor,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield resolved(chunk, tensor);
}

async function* gatheredChunks(
  tensor: Tensor,
  signal: AbortSignal | undefined,
  piece: number,
): AsyncGenerator<Uint8Array> {
  for (const part of blocks(tensor, piece)) yield await readTensor(part, signal);
}

/** The part of its storage that a tensor looks at, from its first to its last element. */
export function tensorRange(tensor: Tensor): Range {
  const [start, end] = byteSpan(tensor);
  return { source: tensor.storage, start, end };
}

export function storageRange(storage: Storage): Range {
  return { source: storage, start: 0, end: storage.byteLength };
}

function byteSpan(tensor: Tensor): [number, number] {
  const size = itemsize(tensor.dtype);
  const [first, end] = span(tensor);
  return [first * size, end * size];
}

/**
 * Elements as `Tensor.resolve_conj().resolve_neg()` gives them: the signs of the imaginary parts, of
 * all numbers, or of both turned round, those of zeros and NaN too.
 */
function resolved(bytes: Uint8Array, { dtype, conj, neg }: Tensor): Uint8Array {
  if (!conj && !neg) return bytes;
  const { kind } = dtypes[dtype];
  if (kind !== 'complex' && (kind !== 'float' || conj)) {
    throw new Error(
      `tensor: ${dtype} elements cannot be ${conj ? 'conjugated' : 'negated'} in a view`,
    );
  }
  const out = new Uint8Array(bytes); // a copy, also of Node's Buffers, whose slice is a view
  const word = wordSize(dtype);
  for (let end = word; end <= out.length; end += word) {
    const isImaginary = kind === 'complex' && (end / word) % 2 === 0;
    if (Boolean(neg) !== (isImaginary && Boolean(conj))) out[end - 1]! ^= 0x80;
  }
  return out;
}

/** How much more of the storage may be read in all, if that lets a tensor be gathered in blocks. */
const MAX_READ_AGAIN = 2;

/** A tensor as rows of its outer axes that are gathered one by one, where each lies together. */
function blocks(tensor: Tensor, piece: number): Tensor[] {
  const rows = Array.from(blocksOf(tensor, piece));
  const bytes = ([start, end]: [number, number]) => end - start;
  const all = rows.reduce((sum, row) => sum + bytes(byteSpan(row)), 0);
  return all <= MAX_READ_AGAIN * bytes(byteSpan(tensor)) + piece ? rows : [tensor];
}

function* blocksOf(tensor: Tensor, piece: number): Generator<Tensor> {
  const { shape, strides, offset, dtype } = tensor;
  const axis = shape.findIndex((size) => size > 1);
  const row = axis < 0 ? 0 : numel(shape.slice(axis + 1)) * itemsize(dtype);
  if (axis < 0 || row * shape[axis]! <= piece) {
    yield tensor;
    return;
  }
  const rows = Math.max(1, Math.floor(piece / row));
  for (let at = 0; at < shape[axis]!; at += rows) {
    const size = Math.min(rows, shape[axis]! - at);
    const part = { ...tensor, shape: shape.with(axis, size), offset: offset + at * strides[axis]! };
    if (size === 1 && row > piece) yield* blocksOf(part, piece);
    else yield part;
  }
}

/** An axis of a view: its size, and the way to the next element in the storage and in the result. */
interface Axis {
  readonly size: number;
  readonly stride: number;
  readonly step: number;
}

/** Gaps between rows from which on each row is read by itself. */
const GAP = 2 ** 18;

/** The elements of a view that is not contiguous, row-major. */
async function gather(tensor: Tensor, signal?: AbortSignal): Promise<Uint8Array> {
  const { dtype, shape, strides, offset, storage } = tensor;
  const size = itemsize(dtype);
  const out = new Uint8Array(numel(shape) * size);
  const steps = contiguousStrides(shape);
  const axes = shape
    .map((length, axis): Axis => ({ size: length, stride: strides[axis]!, step: steps[axis]! }))
    .filter((axis) => axis.size > 1 && axis.stride > 0)
    .sort((a, b) => b.stride - a.stride);
  const ranges = Iterator.from(piecesOf(axes, size)).map(({ from, inner }): Range => {
    const start = (offset + from) * size;
    return { source: storage, start, end: start + extent(inner) * size };
  });
  const reading = new ReadAhead(ranges, signal).next();
  for (const piece of piecesOf(axes, size)) {
    const { value: bytes } = await reading.next();
    scatter(bytes!, out, piece, size);
  }
  await reading.next(); // gives the last one back
  repeat(out, shape, strides, size);
  return out;
}

/** Elements that are read together: where they begin in the storage and in the result. */
interface Piece {
  readonly from: number;
  readonly to: number;
  readonly inner: readonly Axis[];
}

/** Elements of the storage from the first to the last one that the axes reach. */
function extent(axes: readonly Axis[]): number {
  return axes.reduce((sum, { size, stride }) => sum + (size - 1) * stride, 1);
}

/** Cuts the axes, outermost in the storage first, into pieces that span no more than is read at once. */
function* piecesOf(axes: readonly Axis[], size: number, from = 0, to = 0): Generator<Piece> {
  const [outer, ...inner] = axes;
  const row = extent(inner) * size;
  if (!outer || (extent(axes) * size <= PIECE && outer.stride * size - row <= GAP)) {
    yield { from, to, inner: axes };
    return;
  }
  const together =
    outer.stride * size - row > GAP ? 1 : Math.floor((PIECE - row) / (outer.stride * size)) + 1;
  const rows = Math.max(1, together);
  for (let at = 0; at < outer.size; at += rows) {
    const count = Math.min(rows, outer.size - at);
    const part = count === 1 ? inner : [{ ...outer, size: count }, ...inner];
    const [start, end] = [from + at * outer.stride, to + at * outer.step];
    if (count === 1) yield* piecesOf(part, size, start, end);
    else yield { from: start, to: end, inner: part };
  }
}

/** Copies the elements of a piece to their places. */
function scatter(bytes: Uint8Array, out: Uint8Array, { to, inner }: Piece, size: number): void {
  const last = inner.at(-1);
  const isRun = last?.stride === 1 && last.step === 1;
  const run = isRun ? last.size * size : size;
  const axes = isRun ? inner.slice(0, -1) : inner;
  const index = new Array<number>(axes.length).fill(0);
  let read = 0;
  let written = to * size;
  for (;;) {
    if (run <= 16) for (let byte = 0; byte < run; byte++) out[written + byte] = bytes[read + byte]!;
    else out.set(bytes.subarray(read, read + run), written);
    let axis = axes.length - 1;
    for (; axis >= 0; axis--) {
      const { size: length, stride, step } = axes[axis]!;
      read += stride * size;
      written += step * size;
      if (++index[axis]! < length) break;
      read -= stride * size * length;
      written -= step * size * length;
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}

/** Fills the axes of stride 0, of which only the first elements are there: the inner ones first. */
function repeat(
  out: Uint8Array,
  shape: readonly number[],
  strides: readonly number[],
  size: number,
): void {
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (strides[axis] !== 0 || shape[axis]! <= 1) continue;
    const row = numel(shape.slice(axis + 1)) * size;
    for (let at = 0; at < out.length; at += row * shape[axis]!) {
      for (let to = 1; to < shape[axis]!; to++) out.copyWithin(at + to * row, at, at + row);
    }
  }
}
