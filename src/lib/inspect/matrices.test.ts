import { describe, expect, it } from 'vitest';
import { tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { neighbours } from './neighbours.ts';
import { singularValues } from './singular_values.ts';

function matrixOf(shape: readonly number[], numbers?: readonly number[]): Tensor {
  const size = shape.reduce((product, side) => product * side, 1);
  const floats = Float32Array.from({ length: size }, (_, at) => numbers?.[at] ?? (at * 37) % 101);
  return tensorFromBytes(new Uint8Array(floats.buffer), 'float32', shape);
}

describe('singular values', () => {
  it('tell how far they are, let others in, and end when they are aborted', async () => {
    const controller = new AbortController();
    const reports: number[] = [];
    const progress = ({ done, total }: { done: number; total: number }) => {
      reports.push(done / total);
      if (reports.length === 40) setTimeout(() => controller.abort());
    };
    const work = { signal: controller.signal, progress };
    await expect(singularValues(matrixOf([700, 600]), work)).rejects.toThrow('abort');
    expect(reports.length).toBeLessThan(600);
    expect(reports).toEqual([...reports].sort((a, b) => a - b));
    reports.length = 0;
    await singularValues(matrixOf([7, 30]), {
      progress: ({ done, total }) => reports.push(done / total),
    });
    expect(reports.at(-1)).toBe(1);
  });

  it('are none without rows or columns', async () => {
    expect(await singularValues(matrixOf([0, 3]))).toHaveLength(0);
    expect(await singularValues(matrixOf([3, 0, 2]))).toHaveLength(0);
  });

  it.each<[string, Tensor, string]>([
    ['a vector', matrixOf([4]), 'a tensor of shape [4] is no matrix'],
    ['NaN', matrixOf([2, 3], [0, 0, 0, 0, NaN, 0]), 'the matrix holds NaN in row 1, column 1'],
    [
      '-Infinity',
      matrixOf([1, 2], [0, -Infinity]),
      'the matrix holds -Infinity in row 0, column 1',
    ],
    [
      'what is too large',
      { ...matrixOf([1, 1]), shape: [2049, 2048], strides: [0, 0] },
      'a tensor of shape [2049, 2048] has 4196352 elements, expected at most 4194304 (2048 × 2048)',
    ],
    [
      'complex numbers',
      { ...matrixOf([1, 2]), dtype: 'complex64', shape: [1, 1] },
      'complex64 elements are not real numbers',
    ],
  ])('refuse %s', async (_, tensor, message) => {
    await expect(singularValues(tensor)).rejects.toThrow(`singular values: ${message}`);
  });
});

describe('neighbours', () => {
  const by = 'cosine';

  it('are the first of equally near rows', async () => {
    const rows = matrixOf([5, 2], [1, 0, 2, 0, 0, 1, 3, 0, 1, 0]);
    const own = await neighbours(rows, 0, { by, count: 2 });
    expect(own).toEqual([
      { row: 1, cosine: 1, distance: 1 },
      { row: 3, cosine: 1, distance: 2 },
    ]);
    const nearest = await neighbours(rows, 0, { by: 'distance', count: 1 });
    expect(nearest).toEqual([{ row: 4, cosine: 1, distance: 0 }]);
    expect(await neighbours(rows, 0, { by, count: 0 })).toEqual([]);
  });

  it('are none where rows have no numbers', async () => {
    const own = await neighbours(matrixOf([3, 0]), 1, { by, count: 9 });
    expect(own).toEqual([]);
  });

  it.each<[string, Tensor, number, string]>([
    [
      'three dimensions',
      matrixOf([1, 2, 3]),
      0,
      'a tensor of shape [1, 2, 3] has no rows to compare',
    ],
    ['a row behind the last', matrixOf([2, 2]), 2, 'row 2 is not among the 2 rows'],
    [
      'a row with NaN',
      matrixOf([1, 1], [NaN]),
      0,
      'row 0 holds NaN, infinities or numbers too large',
    ],
  ])('refuse %s', async (_, tensor, row, message) => {
    await expect(neighbours(tensor, row, { by, count: 3 })).rejects.toThrow(
      `neighbours: ${message}`,
    );
  });
});
