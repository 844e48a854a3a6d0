import { expect, test } from 'vitest';
import { describeSpectrum } from './spectrum.ts';

const of = (...values: number[]) => describeSpectrum(Float64Array.from(values), [values.length, 4]);

test('equal values have full rank, one alone has rank 1', () => {
  expect(of(2, 2, 2)).toMatchObject({ rank: 3, condition: 1, nine: 3 });
  expect(of(2, 2, 2)!.effectiveRank).toBeCloseTo(3);
  expect(of(5, 0, 0)).toMatchObject({ rank: 1, condition: Infinity, effectiveRank: 1, nine: 1 });
});

test('what is left of rounding does not count', () => {
  expect(of(1, 0.5, 1e-8)).toMatchObject({ rank: 2, largest: 1, least: 1e-8, nine: 2 });
});

test('of zeros there is no rank, of nothing nothing', () => {
  expect(of(0, 0)).toMatchObject({ rank: 0, effectiveRank: 0, condition: NaN });
  expect(of()).toBeNull();
});
