/**
 * What rounding has lost. The numbers are counted while they are computed, each once, however often a
 * writer, the comparison after it or a page reads them; so a count is whole when everything was
 * written, or after `countCasts`.
 */
import { isTensor, type Value } from '#lib/checkpoint/value.ts';
import { itemsize, type Dtype } from '#lib/checkpoint/dtype.ts';
import { isMeta, type Storage, type Tensor } from '#lib/checkpoint/tensor.ts';
import { ReadAhead, type Range } from '#lib/file/read_ahead.ts';
import { withInputs } from './computed.ts';
import { placesIn } from './places.ts';
import { Ranges } from './ranges.ts';
import { roundTo, type RoundedDtype } from './rounding.ts';

/** Of one storage: tied tensors and views of it are counted together. */
export interface CastCount {
  /** Full names of the tensors, as they were when they were rounded. */
  readonly names: readonly string[];
  readonly from: Dtype;
  readonly to: Dtype;
  /** Numbers beyond the range of `to`: they have become infinity, NaN or the largest number. */
  readonly overflowed: number;
  /** Numbers other than zero that have become zero. */
  readonly underflowed: number;
  /** Elements that were not computed yet. */
  readonly remaining: number;
}

/** Rounds elements for one storage, and counts. */
export class CastCounter implements CastCount {
  readonly names: string[] = [];
  readonly from: Dtype;
  readonly to: RoundedDtype;
  overflowed = 0;
  underflowed = 0;
  readonly #remaining = new Ranges();
  #storage: Storage | undefined;

  constructor(from: Dtype, to: RoundedDtype) {
    this.from = from;
    this.to = to;
  }

  /** Adds a tensor to what is counted: the elements of the storage from `start` to `end`. */
  expect(name: string, start: number, end: number): void {
    this.names.push(name);
    this.#remaining.add(start, end);
  }

  /** The storage that is read to compute the elements. */
  attach(storage: Storage): Storage {
    return (this.#storage = storage);
  }

  get storage(): Storage {
    return this.#storage!;
  }

  get remaining(): number {
    return this.#remaining.length;
  }

  /** Bytes of the storage with elements that were not counted. */
  remainingBytes(): Range[] {
    const [source, size] = [this.storage, itemsize(this.to)];
    return this.#remaining.all.map(([start, end]) => ({
      ...{ source, start: start * size, end: end * size },
    }));
  }

  /** Elements from number `at` of the storage on, rounded. */
  round(bytes: Uint8Array, at: number): Uint8Array {
    const size = itemsize(this.from);
    const end = at + bytes.length / size;
    const fresh = this.#remaining.take(at, end);
    const [first] = fresh;
    if (first?.[0] === at && first[1] === end) return this.#counted(bytes);
    for (const [from, to] of fresh)
      this.#counted(bytes.subarray((from - at) * size, (to - at) * size));
    return roundTo(bytes, this.from, this.to).bytes;
  }

  #counted(given: Uint8Array): Uint8Array {
    const { bytes, overflowed, underflowed } = roundTo(given, this.from, this.to);
    this.overflowed += overflowed;
    this.underflowed += underflowed;
    return bytes;
  }
}

export interface CountOptions {
  readonly signal?: AbortSignal;
  progress?(progress: { bytes: number; total: number }): void;
}

/**
 * Computes once what rounding has yet to compute for the tree, and gives the counts of what is in it.
 * Nothing is kept but the counts.
 */
export async function countCasts(
  { root, casts }: { readonly root: Value; readonly casts: readonly CastCounter[] },
  { signal, progress }: CountOptions = {},
): Promise<CastCount[]> {
  const used = withInputs([...tensorsIn(root)].map(({ storage }) => storage));
  const counted = casts.filter(({ storage }) => used.has(storage) && !isMeta(storage));
  const left = () => counted.reduce((sum, it) => sum + it.remaining * itemsize(it.to), 0);
  const total = left();
  // What is computed last asks for what comes before it.
  for (const cast of counted.toReversed()) {
    const chunks = new ReadAhead(cast.remainingBytes(), signal).next();
    while (!(await chunks.next()).done) progress?.({ bytes: total - left(), total });
  }
  return counted;
}

function* tensorsIn(root: Value): Generator<Tensor> {
  for (const { value } of placesIn(root)) {
    if (isTensor(value)) yield value;
    else if (typeof value === 'object' && value?.kind === 'sparse') {
      for (const [, part] of value.parts) yield part;
    }
  }
}
