import { describe, expect, it } from 'vitest';
import { contiguousStrides, isContiguous, span, tensorFromBytes } from './tensor.ts';

describe('strides', () => {
  it('are row-major, and sizes of 0 count as 1, as in torch', () => {
    expect(contiguousStrides([2, 3, 4])).toEqual([12, 4, 1]);
    expect(contiguousStrides([2, 0, 4])).toEqual([4, 4, 1]);
    expect(contiguousStrides([])).toEqual([]);
  });

  it.each<[number[], number[], boolean]>([
    [[2, 3], [3, 1], true],
    [[2, 3], [1, 2], false],
    [[2, 1, 3], [3, 99, 1], true],
    [[1, 1], [0, 0], true],
    [[2], [0], false],
    [[0, 3], [7, 7], true],
    [[], [], true],
  ])('%j with strides %j: contiguous %s', (shape, strides, expected) => {
    expect(isContiguous({ shape, strides })).toBe(expected);
  });

  it.each<[number[], number[], number, [number, number]]>([
    [[2, 3], [3, 1], 5, [5, 11]],
    [[3, 2], [1, 3], 0, [0, 6]],
    [[4, 5], [0, 0], 7, [7, 8]],
    [[], [], 3, [3, 4]],
    [[0, 5], [5, 1], 9, [9, 9]],
  ])('%j with strides %j from %d spans %j', (shape, strides, offset, expected) => {
    expect(span({ shape, strides, offset })).toEqual(expected);
  });
});

describe('tensorFromBytes', () => {
  it('refuses bytes that do not fit the shape', () => {
    expect(() => tensorFromBytes(new Uint8Array(7), 'float32', [2])).toThrow(
      'tensor: 7 bytes given, float32 [2] needs 8',
    );
  });
});
