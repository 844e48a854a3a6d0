import { describe, expect, it } from 'vitest';
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { metaStorage, tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { arrayStatistics, tensorStatistics, tensorSummary } from './tensor_statistics.ts';

function tensorOf(
  array: ArrayBufferView & { length: number },
  dtype: Dtype,
  shape = [array.length],
): Tensor {
  return tensorFromBytes(
    new Uint8Array(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength),
    dtype,
    shape,
  );
}

describe('tensorSummary', () => {
  it('is of the finite numbers, and counts the others', async () => {
    const values = Float32Array.of(1, 0, NaN, -3, Infinity, -0, -Infinity, Infinity, 1e-40);
    // torch.tensor([1., 0, -3, 0, 1e-40]).double(): mean -0.4, std 1.51657508881031
    const summary = await tensorSummary(tensorOf(values, 'float32'));
    expect(summary).toMatchObject({
      ...{ of: 'elements', count: 9, zeros: 2, nans: 1, denormals: 1 },
      ...{ positiveInfinities: 2, negativeInfinities: 1, min: -3, max: 1, mean: -0.4 },
    });
    expect(summary.std).toBeCloseTo(1.51657508881031, 14);
    expect(summary.norm).toBeCloseTo(Math.sqrt(10), 14);
    const { first, counts } = summary.magnitudes!;
    expect([first, counts.length]).toEqual([-133, 135]);
    expect(counts.flatMap((count, at) => (count ? [[first + at, count]] : []))).toEqual([
      [-133, 1],
      [0, 1],
      [1, 1],
    ]);
  });

  it('says nothing of what is not there', async () => {
    const none = { min: null, max: null, mean: null, std: null, norm: null, magnitudes: null };
    for (const values of [Float32Array.of(), Float32Array.of(NaN)]) {
      expect(await tensorSummary(tensorOf(values, 'float32'))).toMatchObject(none);
    }
    const one = await tensorSummary(tensorOf(Float32Array.of(4), 'float32'));
    expect(one).toMatchObject({ mean: 4, std: null, norm: 4 });
    const zero = await tensorSummary(tensorOf(Float32Array.of(-0), 'float32'));
    expect(zero).toMatchObject({ min: 0, max: 0, mean: 0, norm: 0, magnitudes: null });
  });

  it('is of the parts of complex numbers and the integers of quantized ones', async () => {
    const complex = tensorOf(Float32Array.of(1, -2, NaN, 4), 'complex64', [2]);
    expect(await tensorSummary(complex)).toMatchObject({ of: 'parts', count: 4, nans: 1, max: 4 });
    const quantized = tensorOf(Int8Array.of(-3, 5), 'qint8');
    expect(await tensorSummary(quantized)).toMatchObject({ of: 'integers', min: -3, max: 5 });
  });

  it('has integers beyond the doubles exactly', async () => {
    const values = BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 2n ** 54n - 1n, 5n);
    const summary = await tensorSummary(tensorOf(values, 'int64'));
    expect(summary).toMatchObject({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    const { first, counts } = summary.magnitudes!;
    const filled = counts.flatMap((count, at) => (count ? [first + at] : []));
    expect(filled).toEqual([2, 53, 62, 63]);
    const unsigned = await tensorSummary(tensorOf(BigUint64Array.of(2n ** 64n - 1n), 'uint64'));
    expect(unsigned).toMatchObject({ min: 2n ** 64n - 1n, magnitudes: { first: 63, counts: [1] } });
  });

  it('keeps a small spread around a large mean, and squares beyond the doubles', async () => {
    const close = Float64Array.from({ length: 10_000 }, (_, at) => 1e9 + (at % 2) * 1e-3);
    const { std } = await tensorSummary(tensorOf(close, 'float64'));
    const apart = 1e9 + 1e-3 - 1e9; // what is left of it
    expect(std! / (apart / 2) / Math.sqrt(1e4 / 9999)).toBeCloseTo(1, 9);
    for (const scale of [1e-300, 1e300]) {
      const numbers = Float64Array.of(3 * scale, 0, -4 * scale);
      const { norm, std } = await tensorSummary(tensorOf(numbers, 'float64'));
      expect(norm! / (5 * scale)).toBeCloseTo(1, 12);
      expect(std! / (3.5118845842842465 * scale)).toBeCloseTo(1, 12);
    }
    const mixed = Float64Array.of(1e-300, 1, 1e300);
    expect((await tensorSummary(tensorOf(mixed, 'float64'))).norm! / 1e300).toBeCloseTo(1, 12);
  });

  it('tells how far it is, and ends when it is aborted', async () => {
    const reports: unknown[] = [];
    const tensor = tensorOf(new Uint8Array(20 * 2 ** 20), 'uint8');
    await tensorSummary(tensor, { progress: (report) => reports.push(report) });
    expect(reports).toHaveLength(3);
    expect(reports.at(-1)).toEqual({ done: 20 * 2 ** 20, total: 20 * 2 ** 20 });
    await expect(tensorSummary(tensor, { signal: AbortSignal.abort() })).rejects.toThrow('abort');
  });

  it('refuses what has no numbers', async () => {
    const { storage } = tensorOf(new Uint8Array(4), 'uint8');
    const packed = { ...tensorOf(new Uint8Array(4), 'uint8'), dtype: 'bits8' as const, storage };
    await expect(tensorSummary(packed)).rejects.toThrow('numbers: bits8 elements are bits');
    const meta = { ...tensorOf(new Uint8Array(4), 'uint8'), storage: metaStorage(4) };
    await expect(tensorSummary(meta)).rejects.toThrow('numbers: the file holds the shape');
  });
});

describe('tensorStatistics', () => {
  it('counts distinct values, NaN and zeros as one each', async () => {
    const few = tensorOf(Float32Array.of(0, -0, NaN, 7, 7, -Infinity, NaN), 'float32');
    expect(await tensorStatistics(few)).toMatchObject({ distinct: 4 });
    for (const [count, distinct] of [
      [65_536, 65_536],
      [65_537, null],
    ] as const) {
      const numbers = Float32Array.from({ length: 2 * count }, (_, at) => (at % count) - 500);
      expect(await tensorStatistics(tensorOf(numbers, 'float32'))).toMatchObject({ distinct });
    }
    // As doubles, the first two are equal.
    const wide = tensorOf(BigInt64Array.of(2n ** 60n, 2n ** 60n + 1n, 3n), 'int64');
    expect(await tensorStatistics(wide)).toMatchObject({ distinct: 3 });
  });

  it('tells how far it is over all passes', async () => {
    const numbers = Float64Array.from({ length: 70_000 }, (_, at) => Math.sin(at));
    for (const [length, reports] of [
      [70_000, [0.25, 0.5, 0.75, 1]],
      [10, [0.25, 1]], // the first pass has met all values
    ] as const) {
      const told: number[] = [];
      const progress = ({ done, total }: { done: number; total: number }) =>
        told.push(done / total);
      await tensorStatistics(tensorOf(numbers.subarray(0, length), 'float64'), { progress });
      expect(told).toEqual(reports);
    }
  });
});

describe('arrayStatistics', () => {
  it('counts every finite number once, both ends with it', () => {
    const values = Float32Array.from({ length: 97 }, (_, at) => (at === 50 ? NaN : at / 64));
    const { histogram, nans, min, max } = arrayStatistics(values, 'float32');
    expect({ nans, min, max }).toEqual({ nans: 1, min: 0, max: 1.5 });
    expect(histogram).toMatchObject({ low: 0, high: 1.5 });
    expect(histogram!.counts.reduce((sum, count) => sum + count)).toBe(96);
    expect(histogram!.counts.at(-1)).toBe(3);
  });

  it('gives whole numbers parts of whole widths', () => {
    const { histogram } = arrayStatistics(Int32Array.of(3, 5, 5, 6), 'int32');
    expect(histogram).toEqual({ low: 3, high: 7, counts: [1, 0, 2, 1] });
    const wide = arrayStatistics(
      Int32Array.from({ length: 100 }, (_, at) => at),
      'int64',
    );
    expect(wide.histogram!.counts.slice(0, -1).every((count) => count === 3)).toBe(true);
    expect(wide.histogram!.high).toBe(102);
    const bools = arrayStatistics(Uint8Array.of(1, 0, 1), 'bool');
    expect(bools.histogram).toEqual({ low: 0, high: 2, counts: [1, 2] });
  });

  it('has no histogram without finite numbers', () => {
    expect(arrayStatistics(Float32Array.of(NaN), 'float32').histogram).toBeNull();
  });
});
