import { expect, test } from 'vitest';
import { gridOf, layoutColumns, statisticsColumns } from './columns.ts';
import { TableRows } from './table_rows.ts';

test('columns share what is left, and a row is as wide as they are at least', () => {
  expect(
    gridOf([
      { id: 'a', title: 'A', least: 200, grow: 4 },
      { id: 'b', title: 'B', least: 50 },
    ]),
  ).toEqual({ tracks: 'minmax(200px, 4fr) 50px', least: '286px' });
});

test('every column that can be sorted by has values', () => {
  const none = {
    names: [],
    titles: [],
    notes: [],
    dtypes: [],
    shapes: [],
    kinds: [],
    findings: [],
  };
  const numbers = ['dtype', 'shape', 'kind', 'elements', 'bytes', 'stored', 'saving', 'tied'];
  const table = { ...none, ...Object.fromEntries(numbers.map((name) => [name, []])) };
  const known = { figure: () => new Float64Array(), remarks: () => [], codes: [] };
  const rows = new TableRows(table as never, known);
  for (const { id, unsortable } of [...layoutColumns, ...statisticsColumns]) {
    if (!unsortable) expect(rows.sortValues(id)).toHaveLength(0);
  }
});
