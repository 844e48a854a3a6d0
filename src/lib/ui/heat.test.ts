import { describe, expect, it } from 'vitest';
import { heat, scaleOf } from './heat.ts';

describe('heat', () => {
  const colours = (values: number[], scale: number) =>
    values.map((_, at) => [...heat(values, scale).subarray(4 * at, 4 * at + 4)]);

  it('is black at zero, green above and orange below, and lightest at the ends', () => {
    const [zero, half, one, minusHalf, minusOne] = colours([0, 1, 2, -1, -2], 2) as number[][];
    expect(zero).toEqual([10, 13, 14, 255]);
    expect(half![1]).toBeGreaterThan(half![0]!);
    expect(minusHalf![0]).toBeGreaterThan(minusHalf![2]!);
    for (const end of [one!, minusOne!]) expect(Math.min(...end)).toBeGreaterThan(225);
    // What is beyond the scale looks like its end.
    expect(colours([5, -Infinity], 2)).toEqual([one, minusOne]);
  });

  it('marks what is no number, and copes with a tensor of zeros', () => {
    expect(colours([NaN, 0], 0)).toEqual([
      [255, 60, 160, 255],
      [10, 13, 14, 255],
    ]);
  });

  it('takes its scale from the finite numbers', () => {
    expect(scaleOf([1, -3, Infinity, NaN])).toBe(3);
    expect(scaleOf([])).toBe(0);
  });
});
