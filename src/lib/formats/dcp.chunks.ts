/**
 * One tensor of several chunks, each a block of it that lies somewhere else: rows, columns, or
 * blocks of as many axes as there are. A range of the whole is read as one range of each chunk
 * that touches it.
 */
import { itemsize, type Dtype } from '#lib/checkpoint/dtype.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import {
  contiguousStrides,
  isContiguous,
  numel,
  type Storage,
  type Tensor,
} from '#lib/checkpoint/tensor.ts';

/** A block of a tensor: where it begins along each axis, and how far it goes. */
export interface Block {
  readonly offsets: readonly number[];
  readonly sizes: readonly number[];
}

export interface Chunk extends Block {
  /** The block's elements, opened when first asked for. */
  open(signal?: AbortSignal): Promise<Tensor>;
}

/** Axes along which one tensor may be cut: meshes have a few, and a block has 2ⁿ corners. */
const MAX_CUT_AXES = 8;

/**
 * Says what keeps the blocks from covering a tensor of this shape exactly once, or gives null.
 * Where they do, every corner of a block that is none of the whole meets as many corners of the
 * other sign (as the sums of their indicator functions are equal, so are the mixed derivatives).
 */
export function coverProblem(shape: readonly number[], blocks: readonly Block[]): string | null {
  const isInside = ({ offsets, sizes }: Block) =>
    offsets.length === shape.length &&
    sizes.length === shape.length &&
    shape.every((size, axis) => offsets[axis]! + sizes[axis]! <= size);
  const outside = blocks.find((block) => !isInside(block));
  if (outside) {
    return `a chunk [${outside.sizes.join(', ')}] at [${outside.offsets.join(', ')}] lies outside`;
  }
  const axes = [...shape.keys()].filter((axis) =>
    blocks.some(({ sizes }) => sizes[axis] !== shape[axis]),
  );
  if (axes.length > MAX_CUT_AXES) return `it is cut along ${axes.length} axes`;
  const corners = new Map<string, number>();
  const count = ({ offsets, sizes }: Block, weight: number) => {
    if (numel(sizes) === 0) return;
    for (let which = 0; which < 2 ** axes.length; which++) {
      let sign = weight;
      const corner = axes.map((axis, bit) => {
        if (((which >> bit) & 1) === 0) return offsets[axis]!;
        sign = -sign;
        return offsets[axis]! + sizes[axis]!;
      });
      const key = corner.join();
      const sum = (corners.get(key) ?? 0) + sign;
      if (sum === 0) corners.delete(key);
      else corners.set(key, sum);
    }
  };
  for (const block of blocks) count(block, 1);
  count({ offsets: shape.map(() => 0), sizes: shape }, -1);
  return corners.size === 0 ? null : 'the chunks leave a hole or overlap';
}

/** A chunk as runs of bytes that lie in one piece both in it and in the whole. */
class Runs {
  readonly chunk: Chunk;
  /** Bytes of one run, and how many there are. */
  readonly length: number;
  readonly count: number;
  readonly #outer: readonly number[];
  readonly #steps: readonly number[];
  readonly #first: number;

  constructor(chunk: Chunk, shape: readonly number[], size: number) {
    const { offsets, sizes } = chunk;
    const cut = Math.max(
      0,
      shape.findLastIndex((whole, axis) => sizes[axis] !== whole),
    );
    this.chunk = chunk;
    this.length = numel(sizes.slice(cut)) * size;
    this.#outer = sizes.slice(0, cut);
    this.count = numel(this.#outer);
    const strides = contiguousStrides(shape).map((stride) => stride * size);
    this.#steps = strides.slice(0, cut);
    this.#first = offsets.reduce((sum, offset, axis) => sum + offset * strides[axis]!, 0);
  }

  /** Where a run begins in the whole, in bytes. It grows with the number of the run. */
  start(run: number): number {
    let at = this.#first;
    for (let axis = this.#outer.length - 1; axis >= 0; axis--) {
      at += (run % this.#outer[axis]!) * this.#steps[axis]!;
      run = Math.floor(run / this.#outer[axis]!);
    }
    return at;
  }

  /** The first run that ends behind `byte` of the whole; `count` where none does. */
  firstBehind(byte: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.start(middle) + this.length > byte) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** The storage of a contiguous tensor that chunks cover exactly (`coverProblem` gave null). */
export function chunkedStorage(
  key: string,
  dtype: Dtype,
  shape: readonly number[],
  chunks: readonly Chunk[],
): Storage {
  const size = itemsize(dtype);
  const filled = chunks.filter(({ sizes }) => numel(sizes) > 0);
  const all = filled.map((chunk) => new Runs(chunk, shape, size));
  return {
    key,
    location: 'cpu',
    byteLength: numel(shape) * size,
    fresh: true,
    async read(start, end, signal) {
      const out = new Uint8Array(end - start);
      for (const runs of all) {
        const first = runs.firstBehind(start);
        const last = runs.firstBehind(end - 1);
        if (start >= end || first >= runs.count || runs.start(first) >= end) continue;
        const isLastIn = last < runs.count && runs.start(last) < end;
        const stop = isLastIn ? last : last - 1;
        const from = first * runs.length + Math.max(0, start - runs.start(first));
        const to = stop * runs.length + Math.min(runs.length, end - runs.start(stop));
        const bytes = await readRange(await runs.chunk.open(signal), from, to, signal);
        let at = 0;
        for (let run = first; run <= stop; run++) {
          const place = Math.max(start, runs.start(run));
          const length = Math.min(end, runs.start(run) + runs.length) - place;
          out.set(bytes.subarray(at, at + length), place - start);
          at += length;
        }
      }
      return out;
    },
  };
}

/** Bytes `from` to `to` of a tensor's elements in row-major order. */
async function readRange(
  tensor: Tensor,
  from: number,
  to: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const size = itemsize(tensor.dtype);
  const first = tensor.offset * size;
  if (isContiguous(tensor)) return tensor.storage.read(first + from, first + to, signal);
  // Of one that lies otherwise, the rows of the first axis that the range touches.
  const row = numel(tensor.shape.slice(1)) * size;
  const start = Math.floor(from / row);
  const rows = Math.ceil(to / row) - start;
  const offset = tensor.offset + start * tensor.strides[0]!;
  const part = { ...tensor, offset, shape: [rows, ...tensor.shape.slice(1)] };
  const bytes = await readTensor(part, signal);
  return bytes.subarray(from - start * row, to - start * row);
}
