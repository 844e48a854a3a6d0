import { expect, test } from 'vitest';
import { boxOf, Cells, gridOf, type Span } from './cells.svelte.ts';

const shape = [1000, 50];
const settled = () => new Promise((resolve) => setTimeout(resolve));

/** Cells that hold their own row and column, and the fetches that they took. */
function cellsOf(grid: { rows: number; columns: number }) {
  const fetched: [Span, Span][] = [];
  const cells = new Cells(grid, (rows, columns) => {
    fetched.push([rows, columns]);
    const texts: string[] = [];
    for (let row = rows[0]; row < rows[1]; row++) {
      for (let column = columns[0]; column < columns[1]; column++) texts.push(`${row},${column}`);
    }
    return Promise.resolve({ ok: true, cells: texts });
  });
  return { cells, fetched };
}

test('rows and columns are the last two axes; a single one is folded', () => {
  expect(gridOf([2, 3, 1000, 50])).toEqual({ rows: 1000, columns: 50 });
  expect(gridOf([25])).toEqual({ rows: 3, columns: 10 });
  expect(gridOf([4])).toEqual({ rows: 1, columns: 4 });
  expect(gridOf([])).toEqual({ rows: 1, columns: 1 });
  expect(gridOf([0])).toEqual({ rows: 0, columns: 0 });
  expect(boxOf([2, 3, 9, 9], [1, 2], [4, 6], [0, 9])).toEqual({
    start: [1, 2, 4, 0],
    size: [1, 1, 2, 9],
  });
  expect(boxOf([25], [], [1, 3], [0, 10])).toEqual({ start: [10], size: [15] });
  expect(boxOf([], [], [0, 1], [0, 1])).toEqual({ start: [], size: [] });
});

test('what is in view is fetched at once, and only what is missing', async () => {
  const { cells, fetched } = cellsOf(gridOf(shape));
  cells.want([60, 70], [10, 20]);
  expect(cells.text(64, 16)).toBeUndefined();
  await settled();
  expect(cells.text(69, 19)).toBe('69,19');
  expect(fetched).toEqual([
    [
      [0, 128],
      [0, 32],
    ],
  ]);
  cells.want([960, 1000], [40, 50]);
  await settled();
  expect(cells.text(999, 49)).toBe('999,49');
  expect(fetched[1]).toEqual([
    [960, 1000],
    [32, 50],
  ]);
  expect(cells.text(64, 16)).toBe('64,16');
  cells.want([60, 70], [10, 20]);
  await settled();
  expect(fetched).toHaveLength(2);
});

test('quick scrolling fetches where it ends; what is kept is bounded', async () => {
  const { cells, fetched } = cellsOf({ rows: 32_000, columns: 16 });
  for (let row = 0; row < 32_000; row += 640) cells.want([row, row + 64], [0, 16]);
  await settled();
  expect(cells.text(31_360, 0)).toBe('31360,0');
  expect(fetched).toHaveLength(2);
  for (let row = 0; row < 32_000; row += 64) {
    cells.want([row, row + 64], [0, 16]);
    await settled();
    expect(cells.text(row, 0)).toBeDefined();
  }
  expect(cells.text(0, 0)).toBeUndefined();
});

test('a failure is told once and ends the fetching', async () => {
  let calls = 0;
  const cells = new Cells(gridOf(shape), () => {
    calls++;
    const finding = { code: 'x', severity: 'error', message: 'meta: no elements' } as const;
    return Promise.resolve({ ok: false, findings: [finding] });
  });
  cells.want([0, 10], [0, 10]);
  await settled();
  expect(cells.error).toBe('meta: no elements');
  cells.want([500, 510], [0, 10]);
  await settled();
  expect(calls).toBe(1);
});
