import { describe, expect, it } from 'vitest';
import { tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { dict, list, type Value } from '#lib/checkpoint/value.ts';
import { findScaler, numbersOf, parseCsv, standardise } from './table.ts';

describe('CSV', () => {
  it.each([
    ['commas', 'a,b\n1,2\n3,4\n'],
    ['semicolons and CRLF', 'a;b\r\n1;2\r\n3;4'],
    ['tabs and a byte order mark', '\uFEFFa\tb\n1\t2\n\n3\t4\n'],
    ['quotes', '"a","b"\n"1",2\n3,"4"'],
  ])('with %s', (_, text) => {
    const table = parseCsv(text);
    expect(table).toEqual({
      columns: ['a', 'b'],
      rows: [
        ['1', '2'],
        ['3', '4'],
      ],
    });
    expect([...numbersOf(table, [1, 0])]).toEqual([2, 1, 4, 3]);
  });

  it('without a header, with separators and quotes in quotes, with empty cells', () => {
    expect(parseCsv('1,2')).toEqual({ columns: ['column 1', 'column 2'], rows: [['1', '2']] });
    expect(parseCsv('x,"say ""a,b"""\n1,\n')).toEqual({
      columns: ['x', 'say "a,b"'],
      rows: [['1', '']],
    });
    expect(parseCsv('5').rows).toEqual([['5']]);
  });

  it.each([
    ['nothing', '\n\n', 'table: there are no rows'],
    ['a short row', 'a,b\n1', 'table: row 2 has 1 columns, the first has 2'],
    ['an open quote', 'a,"b\n1,2', 'table: the quote at character 3 does not end'],
    ['text behind a quote', '"a"b,c', 'table: "b" follows a quoted cell at character 4'],
  ])('with %s is refused', (_, text, message) => {
    expect(() => parseCsv(text)).toThrow(message);
  });

  it('with words where numbers belong is refused', () => {
    const table = parseCsv('a,b\n1,2\n3,red');
    expect([...numbersOf(table, [0])]).toEqual([1, 3]);
    expect(() => numbersOf(table, [0, 1])).toThrow('table: row 2, b is "red", no number');
    expect(() => numbersOf(parseCsv('a\n1\nNaN'), [0])).toThrow('row 2, a is "NaN", no number');
  });
});

describe('a scaler', () => {
  const vector = (...values: number[]) =>
    tensorFromBytes(new Uint8Array(Float64Array.from(values).buffer), 'float64', [values.length]);

  it.each<[string, Value]>([
    ['tensors', dict({ x_mean: vector(1, 2), x_std: vector(2, 4) })],
    ['lists', dict({ scaler: dict({ mean_: list(1, 2n), scale_: list(2, 4) }) })],
  ])('of %s', async (_, root) => {
    const scaler = (await findScaler(root, 2))!;
    expect([...standardise(Float32Array.of(3, 6, 1, 2), scaler)]).toEqual([1, 1, 0, 0]);
  });

  it.each<[string, Value]>([
    ['nothing', dict()],
    ['three features', dict({ mean: vector(1, 2, 3), std: vector(1, 1, 1) })],
    ['a mean alone', dict({ mean: vector(1, 2) })],
    ['a deviation of zero', dict({ mean: vector(1, 2), std: vector(1, 0) })],
    ['words', dict({ mean: list('a', 'b'), std: vector(1, 1) })],
  ])('is not made of %s', async (_, root) => {
    expect(await findScaler(root, 2)).toBeNull();
  });
});
