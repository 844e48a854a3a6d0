import { describe, expect, it } from 'vitest';
import { histogramOf, statisticsOf } from './statistics.ts';

describe('statistics', () => {
  it('are of the finite numbers, and count the others', () => {
    const values = Float32Array.from([1, 0, NaN, -3, Infinity, 0, -Infinity]);
    // torch.tensor([1., 0, -3, 0]): mean -0.5, std 1.7320508
    expect(statisticsOf(values)).toEqual({
      count: 7,
      min: -3,
      max: 1,
      mean: -0.5,
      std: Math.sqrt(3),
      zeros: 2,
      nans: 1,
      infinities: 2,
    });
  });

  it('say nothing of what is not there', () => {
    const none = { min: null, max: null, mean: null, std: null };
    expect(statisticsOf(new Float32Array())).toMatchObject({ count: 0, ...none });
    expect(statisticsOf(Float32Array.of(NaN))).toMatchObject({ count: 1, nans: 1, ...none });
    expect(statisticsOf(Float32Array.of(4))).toMatchObject({ mean: 4, std: null });
  });
});

describe('histogram', () => {
  const histogram = (values: Float32Array | Int32Array) =>
    histogramOf(values, statisticsOf(values));

  it('counts every finite number once, both ends with it', () => {
    const values = Float32Array.from({ length: 97 }, (_, at) => at / 64);
    const { low, high, counts } = histogram(values)!;
    expect([low, high]).toEqual([0, 1.5]);
    expect(counts.reduce((sum, count) => sum + count)).toBe(97);
    expect(counts.slice(0, -1).every((count) => count === 2)).toBe(true);
    expect(counts.at(-1)).toBe(3);
  });

  it('gives whole numbers parts of whole widths', () => {
    expect(histogram(Int32Array.of(3, 5, 5, 6))).toEqual({ low: 3, high: 7, counts: [1, 0, 2, 1] });
    const wide = histogram(Int32Array.from({ length: 100 }, (_, at) => at))!;
    expect(wide.counts.slice(0, -1).every((count) => count === 3)).toBe(true);
    expect(wide.high).toBe(102);
  });

  it('has one part for equal numbers, and none for none', () => {
    expect(histogram(Float32Array.of(2, NaN, 2))).toEqual({ low: 2, high: 2, counts: [2] });
    expect(histogram(Float32Array.of(NaN))).toBeNull();
  });
});
