import { expect, it } from 'vitest';
import { normal, permutation, uniform } from './random.ts';

it.each([0, 1, 2, 7, 1000])('permutes %d numbers, by the seed', (count) => {
  const order = permutation(count, 5);
  expect([...order].sort((a, b) => a - b)).toEqual([...Array(count).keys()]);
  expect(permutation(count, 5)).toEqual(order);
  if (count > 2) expect(permutation(count, 6)).not.toEqual(order);
});

it('draws standard normal numbers, by the seed', () => {
  const values = normal(100_001, 3);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  expect(Math.abs(mean)).toBeLessThan(0.02);
  expect(Math.abs(variance - 1)).toBeLessThan(0.02);
  expect(values.every(Number.isFinite)).toBe(true);
  expect(normal(3, 3)).toEqual(values.slice(0, 3));
  expect(normal(3, 4)).not.toEqual(values.slice(0, 3));
});

it('begins at random for small seeds, too', () => {
  const first = Array.from({ length: 1000 }, (_, seed) => uniform(seed)());
  const tenths = Array.from(
    { length: 10 },
    (_, at) => first.filter((value) => Math.floor(value * 10) === at).length,
  );
  for (const count of tenths) expect(Math.abs(count - 100)).toBeLessThan(40);
});
