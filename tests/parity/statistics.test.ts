/**
 * The numbers of tensors of every dtype, against NumPy's: random bits with NaN, infinities and denormal
 * numbers, views, tensors larger than what is read at once, and those that sums and histograms find hard.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { dtypes, type Dtype } from '#lib/checkpoint/dtype.ts';
import { tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { PIECE } from '#lib/file/read_ahead.ts';
import { hasNumbers } from '#lib/inspect/numbers.ts';
import { tensorStatistics, tensorSummary } from '#lib/inspect/tensor_statistics.ts';
import { runPython } from '../python.ts';

interface Case extends Pick<Tensor, 'dtype' | 'shape' | 'strides' | 'offset'> {
  readonly name: string;
  readonly path: string;
  readonly expected: Record<Counted, number> & {
    readonly distinct: number | null;
    readonly magnitudes: readonly (readonly [exponent: number, count: number])[];
    /** `repr`s of Python. */
    readonly min: string | null;
    readonly max: string | null;
    readonly mean: string | null;
    readonly std: string | null;
    readonly norm: string | null;
    readonly quantiles: readonly string[];
    /** null as well where NumPy refuses. */
    readonly histogram: {
      readonly low: string;
      readonly high: string;
      readonly counts: readonly number[];
    } | null;
  };
}
const counted = [
  ...(['count', 'zeros', 'nans', 'positiveInfinities', 'negativeInfinities'] as const),
  'denormals' as const,
];
type Counted = (typeof counted)[number];

const folder = mkdtempSync(join(tmpdir(), 'weightroom-statistics-'));
afterAll(() => rmSync(folder, { recursive: true }));
const lines = (await runPython('tests/judge/numpy_statistics.py', [folder])).trim().split('\n');
const cases = lines.map((line) => JSON.parse(line) as Case);
const byDtype = Map.groupBy(cases, ({ dtype }) => dtype);

/** A float as Python's `str` writes it. */
const float = (text: string | null) =>
  text === null ? null : Number(text.replace('inf', 'Infinity'));

function tensorOf({ path, dtype, shape, strides, offset }: Case): Tensor {
  const bytes = new Uint8Array(readFileSync(path));
  return { ...tensorFromBytes(bytes, 'uint8', [bytes.length]), dtype, shape, strides, offset };
}

/** Less than the usual piece, so that even small tensors come in many. */
const SMALL_PIECE = 4096;

/** Dtypes whose random bits, NaN, infinities and denormal numbers among them, came in many pieces. */
const inPieces = new Set<Dtype>();

/** Largest relative difference of mean, std and norm, by dtype. */
const differences = new Map<Dtype, number>();
const numbersCompared = new Map<Dtype, number>();

describe.each([...byDtype])('%s', (dtype, all) => {
  it.each(all)('$name', async (one) => {
    const { count } = one.expected;
    numbersCompared.set(dtype, (numbersCompared.get(dtype) ?? 0) + count);
    const pieces = await judge(one, PIECE);
    if (one.name === 'large') return expect(pieces).toBeGreaterThan(1);
    const small = await judge(one, SMALL_PIECE);
    if (one.name !== 'bits') return;
    expect(small).toBeGreaterThan(20);
    inPieces.add(dtype);
  });

  /** Compares, with a tensor that is read in pieces of so many bytes; says how many reads it took. */
  async function judge(one: Case, piece: number): Promise<number> {
    const { expected } = one;
    const { tensor, reads } = counting(tensorOf(one));
    const statistics = await tensorStatistics(tensor, { piece });
    const pieces = reads();
    const { quantiles, distinct, histogram, ...rest } = statistics;
    for (const name of counted) expect([name, statistics[name]]).toEqual([name, expected[name]]);
    expect(distinct).toBe(expected.distinct);
    for (const extreme of ['min', 'max'] as const) {
      const text = expected[extreme];
      const own = statistics[extreme];
      if (typeof own === 'bigint') expect(String(own)).toBe(text);
      else expect(own).toBe(text === null ? null : float(text)! + 0);
    }
    const { first, counts } = statistics.magnitudes ?? { first: 0, counts: [] };
    expect(counts.flatMap((count, at) => (count ? [[first + at, count]] : []))).toEqual(
      expected.magnitudes,
    );
    expect(quantiles.map(({ value }) => value)).toEqual(
      expected.quantiles.map((text) => float(text)! + 0),
    );
    if (expected.histogram) {
      const { low, high } = expected.histogram;
      const numpys = { ...expected.histogram, low: float(low), high: float(high) };
      expect({ ...histogram, low: histogram!.low + 0 }).toEqual({
        ...numpys,
        low: numpys.low! + 0,
      });
    } else if (expected.min !== null) {
      const { counts } = histogram!;
      expect(counts).toEqual([expected.count - expected.nans - infinities(expected)]);
    } else expect(histogram).toBeNull();

    let largest = differences.get(dtype) ?? 0;
    for (const name of ['mean', 'std', 'norm'] as const) {
      const reference = float(expected[name]);
      const own = statistics[name];
      if (reference === null || reference === 0 || !Number.isFinite(reference)) {
        expect([name, own]).toEqual([name, reference]);
      } else largest = Math.max(largest, Math.abs(own! / reference - 1));
    }
    expect(largest).toBeLessThan(1e-6);
    differences.set(dtype, largest);
    expect(await tensorSummary(tensor, { piece })).toEqual(rest);
    return pieces;
  }
});

/** A tensor that counts how often its storage is read. */
function counting(tensor: Tensor): { tensor: Tensor; reads: () => number } {
  let count = 0;
  const { storage } = tensor;
  const read: typeof storage.read = (start, end, signal) => {
    count++;
    return storage.read(start, end, signal);
  };
  return { tensor: { ...tensor, storage: { ...storage, read } }, reads: () => count };
}

function infinities({ positiveInfinities, negativeInfinities }: Case['expected']): number {
  return positiveInfinities + negativeInfinities;
}

it('covers every dtype that has numbers', () => {
  const withNumbers = (Object.keys(dtypes) as Dtype[]).filter(hasNumbers);
  expect([...byDtype.keys()].sort()).toEqual(withNumbers.sort());
  expect([...inPieces].sort()).toEqual(withNumbers);
  const rows = [...byDtype].map(([dtype, all]) => ({
    dtype,
    tensors: all.length,
    numbers: numbersCompared.get(dtype),
    'mean, std, norm: relative difference': differences.get(dtype)?.toExponential(1),
  }));
  console.table(rows);
});
