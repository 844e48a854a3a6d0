/** The first pass over a tensor, which is all that a summary needs. */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { aligned } from '#lib/checkpoint/elements.ts';
import { tensorChunks } from '#lib/checkpoint/read_tensor.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { checkNumbers, countNumbers, toNumbers, type Work } from '../numbers.ts';
import { Counter } from './counter.ts';
import { countPatterns, hasFewPatterns } from './patterns.ts';
import { FIRST_DIGIT } from './selection.ts';
import { tableOf, type Table } from './table.ts';
import { MAX_DISTINCT, Tally } from './tally.ts';
import { WideIntegers } from './wide_integers.ts';

export interface FirstPass {
  readonly counter: Counter;
  /** Of int64 and uint64. */
  readonly wide: WideIntegers | null;
}

export interface FullPass extends FirstPass {
  /** Of the finite numbers as doubles, where there are few enough different ones. */
  readonly table: Table | null;
  /** Different numbers, NaN and the infinities among them. */
  readonly distinct: number | null;
}

/** Throws a FindingError where `numbersOf` does. `work` is told of the numbers of this pass. */
export async function firstPass(tensor: Tensor, work: Work): Promise<FirstPass> {
  checkNumbers(tensor);
  const pass = passOf(tensor, new Counter());
  if (hasFewPatterns(tensor)) await addPatterns(tensor, pass, work);
  else await addNumbers(tensor, pass, null, work);
  return pass;
}

/** As `firstPass`, with all that can be had on the way for the passes after it. */
export async function fullPass(tensor: Tensor, work: Work): Promise<FullPass> {
  checkNumbers(tensor);
  const { dtype } = tensor;
  const pass = passOf(tensor, new Counter(FIRST_DIGIT));
  if (hasFewPatterns(tensor)) {
    const { values, counts } = await addPatterns(tensor, pass, work);
    const table = tableOf(values, counts);
    return { ...pass, table, distinct: table.values.length + specials(pass) };
  }
  const tally = new Tally();
  await addNumbers(tensor, pass, tally, work);
  if (tally.isFull) return { ...pass, table: null, distinct: null };
  const { words, counts } = tally.entries();
  const bytes = new Uint8Array(words.buffer);
  const table = tableOf(toNumbers(bytes, isWide(dtype) ? dtype : 'float64'), counts);
  // 64-bit integers may be equal as doubles, 0 and -0 are so.
  const distinct = (isWide(dtype) ? tally.size : table.values.length) + specials(pass);
  return { ...pass, table, distinct: distinct > MAX_DISTINCT ? null : distinct };
}

function passOf({ dtype }: Tensor, counter: Counter): FirstPass {
  return { counter, wide: isWide(dtype) ? new WideIntegers() : null };
}

function specials({ counter }: FirstPass): number {
  const { nans, positiveInfinities, negativeInfinities } = counter;
  return [nans, positiveInfinities, negativeInfinities].filter((count) => count > 0).length;
}

function isWide(dtype: Dtype): dtype is 'int64' | 'uint64' {
  return dtype === 'int64' || dtype === 'uint64';
}

async function addPatterns(tensor: Tensor, { counter }: FirstPass, work: Work) {
  const patterns = await countPatterns(tensor, work);
  const { values, counts } = patterns;
  counts.forEach((count, at) => {
    if (count > 0) counter.addMany(values[at]!, count);
  });
  return patterns;
}

async function addNumbers(
  tensor: Tensor,
  { counter, wide }: FirstPass,
  tally: Tally | null,
  { signal, progress, piece }: Work,
): Promise<void> {
  const { dtype } = tensor;
  const total = countNumbers(tensor);
  for await (const bytes of tensorChunks(tensor, signal, piece)) {
    const numbers = toNumbers(bytes, dtype);
    if (isWide(dtype)) {
      const Integers = dtype === 'int64' ? BigInt64Array : BigUint64Array;
      wide!.add(aligned<BigInt64Array | BigUint64Array>(bytes, Integers), numbers as Float64Array);
      counter.add(numbers);
      tally?.add(aligned(bytes, Uint32Array), numbers.length);
    } else counter.add(numbers, tally ? (words, length) => tally.add(words, length) : undefined);
    progress?.({ done: counter.count, total });
  }
}
