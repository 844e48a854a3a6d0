import { expect, it } from 'vitest';
import { nextSort, ranks, sortRows } from './sort.ts';

it('sorts both ways, rows without a value last, equal ones as they were', () => {
  const values = [3, NaN, 1, 3, -Infinity, Infinity];
  expect([...sortRows(values, false)]).toEqual([4, 2, 0, 3, 5, 1]);
  expect([...sortRows(values, true)]).toEqual([5, 0, 3, 2, 4, 1]);
  expect([...sortRows([], true)]).toEqual([]);
});

it('ranks numbers in names as numbers', () => {
  const names = ['layer.10.w', 'layer.2.w', 'a', 'layer.2.w', 'layer.2.b'];
  expect([...ranks(names)]).toEqual([4, 2, 0, 2, 1]);
});

it('goes round: one way, the other, and back to the order of the tree', () => {
  let sort = nextSort({ column: 'name', descending: false }, 'bytes', true);
  expect(sort).toEqual({ column: 'bytes', descending: true });
  sort = nextSort(sort, 'bytes', true);
  expect(sort).toEqual({ column: 'bytes', descending: false });
  expect(nextSort(sort, 'bytes', true)).toEqual({ column: null, descending: false });
});
