/**
 * What the numbers of a tensor are like, whatever its dtype and size: it is read chunk by chunk, once
 * for a summary. What is counted is exact; sums are taken in doubles. All is what NumPy says of the
 * finite numbers as float64.
 */
import { dtypes, type Dtype, type DtypeKind } from '#lib/checkpoint/dtype.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { countNumbers, numbersOf, type Doubles, type Work } from './numbers.ts';
import { inBlocks } from './statistics/blocks.ts';
import { Counter } from './statistics/counter.ts';
import { LEAST } from './statistics/exponents.ts';
import { firstPass, fullPass, type FirstPass } from './statistics/first_pass.ts';
import { HistogramCounter } from './statistics/linear_histogram.ts';
import { quantilesOf, ranksOf } from './statistics/quantiles.ts';
import { passesOf, Selection } from './statistics/selection.ts';
import { valuesAt } from './statistics/table.ts';

/** int64 and uint64 beyond 2⁵³ do not fit a double. */
export type Exact = number | bigint;

/** Equally wide parts between the least and the largest finite number, as `numpy.histogram`. */
export interface LinearHistogram {
  readonly low: number;
  readonly high: number;
  readonly counts: readonly number[];
}

/** How many numbers have a magnitude of 2^exponent up to 2^(exponent + 1); zeros are apart. */
export interface MagnitudeHistogram {
  /** Exponent of the first count. */
  readonly first: number;
  readonly counts: readonly number[];
}

export interface TensorSummary {
  /**
   * What is counted: the elements; of complex tensors their real and imaginary parts, each by
   * itself; of quantized ones the integers that are stored.
   */
  readonly of: 'elements' | 'parts' | 'integers';
  readonly count: number;
  readonly zeros: number;
  readonly nans: number;
  readonly positiveInfinities: number;
  readonly negativeInfinities: number;
  /** Finite numbers below the least normal one of the dtype, other than zero. */
  readonly denormals: number;
  /** Of the finite numbers, as all that follows; null where there are none. */
  readonly min: Exact | null;
  readonly max: Exact | null;
  readonly mean: number | null;
  /** `tensor.std()`: with Bessel's correction; null for fewer than two. */
  readonly std: number | null;
  /** Square root of the sum of squares. */
  readonly norm: number | null;
  readonly magnitudes: MagnitudeHistogram | null;
}

export interface TensorStatistics extends TensorSummary {
  /** `numpy.quantile`, linear: of 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99 in turn. */
  readonly quantiles: readonly { readonly at: number; readonly value: number }[];
  /** Distinct values, NaN as one, 0 and -0 as one; null where there are more than 65,536. */
  readonly distinct: number | null;
  readonly histogram: LinearHistogram | null;
}

/** Statistics that one pass over the tensor gives. Throws a FindingError where `numbersOf` does. */
export async function tensorSummary(tensor: Tensor, work: Work = {}): Promise<TensorSummary> {
  return summarize(await firstPass(tensor, work), tensor.dtype);
}

/**
 * All statistics. The tensor is read a second time for quantiles and histogram, and up to four times
 * where its numbers have more bits than float32, unless it holds few different ones. Throws a
 * FindingError where `numbersOf` does.
 */
export async function tensorStatistics(tensor: Tensor, work: Work = {}): Promise<TensorStatistics> {
  const { dtype } = tensor;
  const bits = significant[dtype] ?? 35;
  const total = countNumbers(tensor) * passesOf(bits);
  const told = (pass: number): Work => ({
    ...work,
    progress: ({ done }) => work.progress?.({ done: pass * countNumbers(tensor) + done, total }),
  });
  const first = await fullPass(tensor, told(0));
  const summary = summarize(first, dtype);
  const { distinct, table, counter } = first;
  const { count, min, max } = counter.moments;
  if (count === 0) return { ...summary, quantiles: [], distinct, histogram: null };

  const histogram = new HistogramCounter(min, max, isWhole(dtype));
  const ranks = ranksOf(count);
  let values: number[];
  if (table) {
    histogram.add(table.values, table.values.length, table.counts);
    values = valuesAt(table, ranks);
    work.progress?.({ done: total, total });
  } else {
    const selection = new Selection(ranks, counter.prefixes, bits);
    for (let pass = 1; selection.isOpen; pass++) {
      const { progress } = told(pass);
      let done = 0;
      for await (const numbers of numbersOf(tensor, work.signal, work.piece)) {
        inBlocks(numbers, (block, words, length) => {
          if (pass === 1) histogram.add(block, length);
          selection.add(words, length);
        });
        progress?.({ done: (done += numbers.length), total });
      }
      selection.next();
    }
    values = selection.values();
  }
  const quantiles = quantilesOf(count, (rank) => values[ranks.indexOf(rank)]!);
  return { ...summary, quantiles, distinct, histogram: histogram.histogram };
}

/** Summary and histogram of numbers in memory, which are those of a tensor of this dtype. */
export function arrayStatistics(
  numbers: Doubles,
  dtype: Dtype,
): TensorSummary & Pick<TensorStatistics, 'histogram'> {
  const counter = new Counter();
  counter.add(numbers);
  const summary = summarize({ counter, wide: null }, dtype);
  const { count, min, max } = counter.moments;
  if (count === 0) return { ...summary, histogram: null };
  const histogram = new HistogramCounter(min, max, isWhole(dtype));
  inBlocks(numbers, (block, _, length) => histogram.add(block, length));
  return { ...summary, histogram: histogram.histogram };
}

function isWhole(dtype: Dtype): boolean {
  return dtypes[dtype].kind !== 'float' && dtypes[dtype].kind !== 'complex';
}

/** Bits of a number as a double that may be other than 0, where they are more than of a float32. */
const significant: Partial<Record<Dtype, number>> = {
  ...{ float64: 64, complex128: 64, int64: 64, uint64: 64 },
  // 1 and 11 bits of sign and exponent, and 31 of the 32 digits.
  ...{ int32: 43, uint32: 43, qint32: 43 },
};

/** Exponent of the least normal number of a dtype that has denormal ones. */
const leastNormal: Partial<Record<Dtype, number>> = {
  ...{ float64: -1022, complex128: -1022, float32: -126, complex64: -126, bfloat16: -126 },
  ...{ float16: -14, complex32: -14 },
  ...{ float8_e4m3fn: -6, float8_e4m3fnuz: -7, float8_e5m2: -14, float8_e5m2fnuz: -15 },
};

function summarize({ counter, wide }: FirstPass, dtype: Dtype): TensorSummary {
  const { count, zeros, nans, positiveInfinities, negativeInfinities, moments } = counter;
  const exponents = counter.exponents();
  for (const [exponent, rounded] of wide?.roundedUp ?? []) {
    exponents[exponent - LEAST]! -= rounded;
    exponents[exponent - 1 - LEAST]! += rounded;
  }
  const least = leastNormal[dtype] ?? LEAST;
  const denormals = exponents.subarray(0, least - LEAST).reduce((sum, some) => sum + some, 0);
  const first = exponents.findIndex((some) => some > 0);
  const last = exponents.findLastIndex((some) => some > 0);
  const isEmpty = moments.count === 0;
  return {
    of: kinds[dtypes[dtype].kind],
    ...{ count, zeros, nans, positiveInfinities, negativeInfinities, denormals },
    min: isEmpty ? null : (wide?.min(moments.min) ?? moments.min + 0), // -0 is 0
    max: isEmpty ? null : (wide?.max(moments.max) ?? moments.max + 0),
    mean: moments.mean,
    std: moments.std,
    norm: moments.norm,
    magnitudes:
      first === -1
        ? null
        : { first: first + LEAST, counts: [...exponents.subarray(first, last + 1)] },
  };
}

const kinds = {
  ...{ float: 'elements', int: 'elements', bool: 'elements', packed: 'elements' },
  ...{ complex: 'parts', quantized: 'integers' },
} as const satisfies Record<DtypeKind, TensorSummary['of']>;
