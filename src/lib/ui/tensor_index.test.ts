import { expect, test } from 'vitest';
import { indexText, lieOfWhole, type Extent } from './tensor_index.ts';

test('parts of a whole tensor are named as Python indexes them', () => {
  const lie = lieOfWhole([4, 3, 5, 7]);
  const filter: Extent[] = [
    [2, 3],
    [1, 2],
    [0, 5],
    [0, 7],
  ];
  expect(indexText(lie, filter)).toBe('[2, 1]');
  expect(indexText(lie, filter.with(1, [0, 3]))).toBe('[2]');
  expect(indexText(lie, filter.with(0, [0, 4]))).toBe('[:, 1]');
  expect(indexText(lie, filter.with(2, [2, 4]).with(3, [6, 7]))).toBe('[2, 1, 2:4, 6]');
  expect(indexText(lieOfWhole([5, 7]), filter.slice(2))).toBe('');
});

test('parts of t[1, :, 4:, ::2] are named by their places in t', () => {
  const lie = {
    ...{ shape: [3, 5, 3], whole: [2, 3, 9, 6], origin: [1, 0, 4, 0] },
    steps: [
      { axis: 1, by: 1 },
      { axis: 2, by: 1 },
      { axis: 3, by: 2 },
    ],
  };
  const part: Extent[] = [
    [2, 3],
    [0, 5],
    [0, 3],
  ];
  expect(indexText(lie, part)).toBe('[1, 2, 4:9, 0:5:2]');
  expect(indexText(lie, part.with(0, [0, 3]).with(2, [1, 2]))).toBe('[1, :, 4:9, 2]');
  // Strides do not tell a single place along an axis from one along the axis before.
  const along = { axis: 0, by: 1 };
  expect(
    indexText({ ...lieOfWhole([16, 1]), steps: [along, along] }, [
      [15, 16],
      [0, 1],
    ]),
  ).toBe('[15, 0]');
  // A new axis is none of the whole's.
  const row = { ...lie, shape: [1, 3], steps: [null, lie.steps[2]!] };
  expect(
    indexText(row, [
      [0, 1],
      [1, 3],
    ]),
  ).toBe('[1, 0, 4, 2:5:2]');
});
