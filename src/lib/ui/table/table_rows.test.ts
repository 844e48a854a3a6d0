import { describe, expect, it } from 'vitest';
import type { TensorTable } from '#lib/worker/protocol.ts';
import { sortRows } from './sort.ts';
import { TableRows, type KnownFigures } from './table_rows.ts';
import { toCsv, toNames, toTsv } from './text.ts';
import { totalsOf, type Total } from './totals.ts';

const column = (...values: number[]) => Float64Array.from(values);
const places = (...values: number[]) => Int32Array.from(values);
const table: TensorTable = {
  names: ['model.a.weight', 'model.b.weight', 'opt.0.exp_avg', 'odd,"name"'],
  titles: ['', '', 'exp_avg of a.weight', ''],
  notes: ['', '', '', ''],
  dtypes: ['float32', 'float16'],
  dtype: Uint8Array.of(0, 0, 0, 1),
  shapes: [[10, 2], [3], [2, 9]],
  shape: Uint32Array.of(0, 0, 1, 2),
  kinds: ['Linear', 'Optimizer state', 'Other'],
  kind: Uint16Array.of(0, 0, 1, 2),
  model: null,
  guessed: 3,
  elements: column(20, 20, 3, 18),
  bytes: column(80, 80, 12, 36),
  stored: column(80, 0, 12, 108),
  saving: column(0, 0, 0, 72),
  tied: places(1, 0, -1, -1),
  overlaps: places(-1, -1, -1, -1),
  shares: places(1, 0, -1, -1),
  expanded: Uint8Array.of(0, 0, 0, 0),
  meta: Uint8Array.of(0, 0, 0, 0),
  order: Uint32Array.of(0, 1, 2, 3),
  findings: [
    { row: 3, message: 'first' },
    { row: 3, message: 'second' },
  ],
};
const std = column(0.5, NaN, 0.1, 2);
const known: KnownFigures = {
  figure: (figure) => (figure === 'std' ? std : column(NaN, NaN, NaN, NaN)),
  remarks: (row) => (row === 2 ? [{ id: 'nan', label: 'NaN', text: '1 NaN', tone: 'bad' }] : []),
  codes: ['nan'],
};
const rows = new TableRows(table, known);

describe('rows of the table', () => {
  it('are sorted by every column, by shapes as by numbers', () => {
    const order = (name: string) => [...sortRows(rows.sortValues(name), false)];
    expect(order('name')).toEqual([2, 0, 1, 3]);
    expect(order('dtype')).toEqual([3, 0, 1, 2]);
    expect(order('shape')).toEqual([2, 3, 0, 1]);
    expect(order('share')).toEqual([1, 2, 0, 3]);
    expect(order('std')).toEqual([2, 0, 3, 1]);
    expect(order('marks')).toEqual([0, 1, 2, 3]);
    expect(() => rows.sortValues('colour')).toThrow('there is no column colour');
  });

  it('carry marks', () => {
    const marks = (row: number) => rows.marksOf(row).map(({ label }) => label);
    expect([0, 1, 2, 3].map(marks)).toEqual([
      ...[['tied'], ['tied'], ['NaN']],
      ['finding', 'finding', 'view −72 B'],
    ]);
    const are = (mark: string) => [0, 1, 2, 3].filter((row) => rows.marks.get(mark)!(row));
    expect([are('tied'), are('view'), are('nan'), are('finding')]).toEqual([[0, 1], [3], [2], [3]]);
    expect(rows.share(1)).toBe(0);
    expect(rows.share(0)).toBe(0.4);
  });

  it('are copied for spreadsheets, what is not known as an empty cell', () => {
    const lines = toCsv(rows, [1, 3]).split('\r\n');
    expect(lines).toHaveLength(4);
    expect(lines[1]).toBe('model.b.weight,,float32,"[10, 2]",20,80,,,,,,,,,0,tied');
    expect(lines[2]).toMatch(/^"odd,""name""",,float16,"\[2, 9\]",18,36,,,,2,/);
    expect(toTsv(rows, [2]).split('\n')[1]!.split('\t').slice(0, 4)).toEqual([
      ...['opt.0.exp_avg', 'exp_avg of a.weight', 'float32', '[3]'],
    ]);
    expect(toNames(rows, [2, 0])).toBe('opt.0.exp_avg\nmodel.a.weight');
  });
});

it('tells a tensor with an empty name from one that is the whole', () => {
  const named = (...names: string[]) =>
    new TableRows({ ...table, names, titles: names.map(() => '') }, known);
  expect([named('').title(0), named('a', '').title(1)]).toEqual(['checkpoint', "''"]);
});

describe('totals', () => {
  const told = ({ key, tensors, elements, stored, filter }: Total) =>
    `${key}: ${tensors} ${elements} ${stored} ${filter}`;

  it('add up by modules, level by level', () => {
    const root = totalsOf(rows, 'name');
    expect(told(root)).toBe(': 4 61 200 ');
    expect([...root.parts.values()].map(told)).toEqual([
      'model: 2 40 80 /^model\\./',
      'opt: 1 3 12 /^opt\\./',
      'in no module: 1 18 108 /^[^.]*$/',
    ]);
    expect([...root.parts.get('model')!.parts.values()].map(told)).toEqual([
      'model.a: 1 20 80 /^model\\.a\\./',
      'model.b: 1 20 0 /^model\\.b\\./',
    ]);
  });

  it('add up by dtype and by kind', () => {
    expect([...totalsOf(rows, 'dtype').parts.values()].map(told)).toEqual([
      'float32: 3 43 92 dtype:float32',
      'float16: 1 18 108 dtype:float16',
    ]);
    expect([...totalsOf(rows, 'kind').parts.keys()]).toEqual(table.kinds);
  });
});
