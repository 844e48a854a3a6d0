import { expect, test } from 'vitest';
import { fullIndex, headText, leadingIndex } from './places.ts';

test('grids are counted over the leading axes', () => {
  expect(leadingIndex([2, 3, 4, 9, 9], 0)).toEqual([0, 0, 0]);
  expect(leadingIndex([2, 3, 4, 9, 9], 2 * 4 + 1)).toEqual([0, 2, 1]);
  expect(leadingIndex([2, 3, 4, 9, 9], 23)).toEqual([1, 2, 3]);
  expect(leadingIndex([9, 9], 0)).toEqual([]);
});

test('cells of t[1, :, 4:, ::2] are named by their place in t', () => {
  const slice = {
    shape: [3, 5, 3],
    origin: [1, 0, 4, 0],
    steps: [
      { axis: 1, by: 1 },
      { axis: 2, by: 1 },
      { axis: 3, by: 2 },
    ],
  };
  expect(fullIndex(slice, [2], { row: 3, column: 2 })).toEqual([1, 2, 7, 4]);
  expect(headText(slice, 'rows', 3)).toBe('7');
  expect(headText(slice, 'columns', 2)).toBe('4');
});

test('cells of a single axis are folded, new axes count by themselves', () => {
  const slice = { shape: [25], origin: [3, 5], steps: [{ axis: 1, by: 2 }] };
  expect(fullIndex(slice, [], { row: 2, column: 4 })).toEqual([3, 53]);
  expect([headText(slice, 'rows', 2), headText(slice, 'columns', 4)]).toEqual(['45', '+8']);
  const row = { shape: [1, 25], origin: [3, 5], steps: [null, { axis: 1, by: 2 }] };
  expect(fullIndex(row, [], { row: 0, column: 4 })).toEqual([3, 13]);
  expect(headText(row, 'rows', 0)).toBe('0');
  const scalar = { shape: [], origin: [3, 5], steps: [] };
  expect(fullIndex(scalar, [], { row: 0, column: 0 })).toEqual([3, 5]);
});
