/** Where in a tensor, and by how much, another one of its shape differs: what a person looks at. */
import { itemsize, type Dtype } from '#lib/checkpoint/dtype.ts';
import { formatElement } from '#lib/checkpoint/elements.ts';
import { tensorChunks } from '#lib/checkpoint/read_tensor.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import { arithmeticOf, operandFor, type Arithmetic, type Operand } from './arithmetic.ts';
import { inStep, unchecked, type ReadContext, type TensorPair } from './compare_tensors.ts';
import { kindOf } from './sums.ts';

export interface TensorChanges {
  /** The first places that cannot be measured (NaN or infinite on one side), then the largest. */
  readonly largest: readonly TensorChange[];
  /**
   * Of the elements with Δ other than 0, in equally wide parts from −max to max, of complex numbers
   * from 0; null where nothing can be measured.
   */
  readonly histogram: {
    readonly low: number;
    readonly high: number;
    readonly counts: readonly number[];
  } | null;
  /** Mean |Δ| of equal shares of the first axis in turn; null for tensors without several rows. */
  readonly along: readonly number[] | null;
}

export interface TensorChange {
  readonly index: readonly number[];
  /** The values exactly as Python prints them. */
  readonly a: string;
  readonly b: string;
  /** b − a, of complex numbers its modulus; null where it cannot be told. */
  readonly delta: number | null;
}

/** Changes that are listed: the largest, and before them those that cannot be measured. */
const MOST = 50;
const MOST_UNMEASURED = 20;
/** Parts of the histogram, and of the first axis; odd, so that one is around 0. */
const PARTS = 61;
const BLOCK = 2 ** 15;

/** Reads both once. `max` is the largest |Δ| as the comparison told it; null where there is none. */
export async function changesOf(
  [a, b]: TensorPair,
  max: number | null,
  { signal, onBytes }: ReadContext = {},
): Promise<TensorChanges> {
  const arithmetic = arithmeticOf(a.dtype, b.dtype);
  if (!arithmetic) throw new Error(`compare: ${a.dtype} and ${b.dtype} have no numbers in common`);
  const deltas = deltasFor(arithmetic, a.dtype, b.dtype);
  const largest = new Largest();
  const histogram = max !== null && max > 0 && max < Infinity ? new Bins(max, arithmetic) : null;
  const along = new Along(a.shape);
  const sizes = [itemsize(a.dtype), itemsize(b.dtype)] as const;
  let from = 0;
  for await (const [left, right] of inStep(
    [tensorChunks(unchecked(a), signal), tensorChunks(unchecked(b), signal)],
    sizes,
  )) {
    for (let at = 0; at * sizes[0] < left.length; at += BLOCK) {
      const bytesA = left.subarray(at * sizes[0], (at + BLOCK) * sizes[0]);
      const bytesB = right.subarray(at * sizes[1], (at + BLOCK) * sizes[1]);
      const block = deltas(bytesA, bytesB);
      for (let i = 0; i < block.length; i++) {
        const delta = block[i]!;
        if (delta === 0) continue;
        const distance = Number.isNaN(delta) ? Infinity : Math.abs(delta);
        if (largest.takes(distance)) {
          const texts = [formatElement(bytesA, a.dtype, i), formatElement(bytesB, b.dtype, i)];
          largest.add({ at: from + i, distance, delta, a: texts[0]!, b: texts[1]! });
        }
        if (distance === Infinity) continue;
        histogram?.add(delta);
        along.add(from + i, distance);
      }
      from += block.length;
    }
    onBytes?.(left.length + right.length);
  }
  return {
    largest: largest.list().map(({ at, delta, ...texts }) => ({
      index: indexOf(at, a.shape),
      a: texts.a,
      b: texts.b,
      delta: Number.isFinite(delta) && arithmetic !== 'bytes' ? delta : null,
    })),
    histogram: histogram && { low: histogram.low, high: max!, counts: histogram.counts },
    along: arithmetic === 'bytes' ? null : along.means(),
  };
}

/** Δ of each element: 0 where both are equal, NaN where it cannot be told. The array is used again. */
function deltasFor(
  arithmetic: Arithmetic,
  a: Dtype,
  b: Dtype,
): (a: Uint8Array, b: Uint8Array) => Float64Array {
  const [numbersA, numbersB] = [operandFor(a, arithmetic), operandFor(b, arithmetic)];
  const step = arithmetic === 'complex' || arithmetic === 'long' ? 2 : 1;
  const delta = deltaFor(arithmetic, a, b);
  const room = new Float64Array(BLOCK);
  return (bytesA, bytesB) => {
    const [left, right] = [numbersA(bytesA), numbersB(bytesB)];
    const out = room.subarray(0, left.length / step);
    for (let i = 0; i < out.length; i++) out[i] = delta(left, right, i * step);
    return out;
  };
}

function deltaFor(
  arithmetic: Arithmetic,
  a: Dtype,
  b: Dtype,
): (a: Operand, b: Operand, at: number) => number {
  switch (arithmetic) {
    case 'float32':
    case 'float64':
      return (left, right, at) => {
        const [x, y] = [left[at]!, right[at]!];
        if (x === y || (Number.isNaN(x) && Number.isNaN(y))) return 0;
        return kindOf(x) === 'finite' && kindOf(y) === 'finite' ? y - x : NaN;
      };
    case 'complex':
      return (left, right, at) => {
        const [ax, ay, bx, by] = [left[at]!, left[at + 1]!, right[at]!, right[at + 1]!];
        const kinds = [kindOf(ax, ay), kindOf(bx, by)];
        if ((ax === bx && ay === by) || kinds.every((kind) => kind === 'nan')) return 0;
        return kinds.every((kind) => kind === 'finite') ? Math.hypot(bx - ax, by - ay) : NaN;
      };
    case 'long': {
      const high = (dtype: Dtype, value: number) => (dtype === 'int64' ? value : value >>> 0);
      return (left, right, at) =>
        (high(b, right[at + 1]!) - high(a, left[at + 1]!)) * 2 ** 32 +
        ((right[at]! >>> 0) - (left[at]! >>> 0));
    }
    case 'bytes':
      return (left, right, at) => Number(left[at] !== right[at]);
    default:
      return arithmetic satisfies never;
  }
}

interface Found {
  readonly at: number;
  readonly distance: number;
  readonly delta: number;
  readonly a: string;
  readonly b: string;
}

/** The largest of many, in the memory of a few. */
class Largest {
  readonly #unmeasured: Found[] = [];
  #found: Found[] = [];
  #least = -1;

  takes(distance: number): boolean {
    return distance === Infinity
      ? this.#unmeasured.length < MOST_UNMEASURED
      : distance > this.#least;
  }

  add(found: Found): void {
    if (found.distance === Infinity) {
      this.#unmeasured.push(found);
      return;
    }
    this.#found.push(found);
    if (this.#found.length < 4 * MOST) return;
    this.#found = this.#sorted();
    this.#least = this.#found.at(-1)!.distance;
  }

  list(): Found[] {
    return [...this.#unmeasured, ...this.#sorted()];
  }

  #sorted(): Found[] {
    const order = (one: Found, other: Found) => other.distance - one.distance || one.at - other.at;
    return this.#found.toSorted(order).slice(0, MOST);
  }
}

class Bins {
  readonly low: number;
  readonly counts = new Array<number>(PARTS).fill(0);
  readonly #scale: number;

  constructor(max: number, arithmetic: Arithmetic) {
    this.low = arithmetic === 'complex' ? 0 : -max;
    this.#scale = PARTS / (max - this.low);
  }

  add(delta: number): void {
    const part = Math.floor((delta - this.low) * this.#scale);
    this.counts[Math.min(part, PARTS - 1)]!++;
  }
}

/** Mean |Δ| over the first axis. */
class Along {
  readonly #rows: number;
  /** Elements of a row. */
  readonly #row: number;
  readonly #sums: number[];

  constructor(shape: readonly number[]) {
    this.#rows = shape[0] ?? 1;
    this.#row = numel(shape.slice(1));
    this.#sums = new Array<number>(Math.min(PARTS, this.#rows)).fill(0);
  }

  add(at: number, distance: number): void {
    this.#sums[this.#partOf(Math.floor(at / this.#row))]! += distance;
  }

  #partOf(row: number): number {
    return Math.floor((row * this.#sums.length) / this.#rows);
  }

  means(): number[] | null {
    if (this.#rows < 2 || this.#row === 0) return null;
    const rows = new Array<number>(this.#sums.length).fill(0);
    for (let row = 0; row < this.#rows; row++) rows[this.#partOf(row)]!++;
    return this.#sums.map((sum, part) => sum / (rows[part]! * this.#row));
  }
}

function indexOf(at: number, shape: readonly number[]): number[] {
  let left = at;
  return shape
    .toReversed()
    .map((size) => {
      const index = left % size;
      left = Math.floor(left / size);
      return index;
    })
    .reverse();
}
