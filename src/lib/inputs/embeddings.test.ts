import { expect, it } from 'vitest';
import { cosines, pool, unit } from './embeddings.ts';

const states = Float32Array.of(1, 2, 3, 4, 5, 12);

it('pools what the mask keeps', () => {
  expect([...pool(states, 2, 'mean')]).toEqual([3, 6]);
  expect([...pool(states, 2, 'mean', [1, 1, 0])]).toEqual([2, 3]);
  expect([...pool(states, 2, 'mean', [0, 0, 0])]).toEqual([0, 0]);
  expect([...pool(states, 2, 'first')]).toEqual([1, 2]);
  expect(() => pool(states, 4, 'mean')).toThrow('embeddings: 6 numbers are no states of 4');
  expect(() => pool(states, 2, 'mean', [1])).toThrow('for 1 tokens');
});

it('compares by angle alone', () => {
  expect([...unit(Float32Array.of(3, 4))]).toEqual([0.6, 0.8].map(Math.fround));
  const vectors = [
    [1, 0],
    [5, 0],
    [0, 2],
    [-3, 0],
    [0, 0],
  ].map((vector) => Float32Array.from(vector));
  expect(cosines(vectors)).toEqual(
    [
      [1, 1, 0, -1, 0],
      [1, 1, 0, -1, 0],
      [0, 0, 1, 0, 0],
      [-1, -1, 0, 1, 0],
      [0, 0, 0, 0, 0],
    ].map((row) => row.map((value) => expect.closeTo(value, 6) as number)),
  );
});
