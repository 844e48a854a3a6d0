import { describe, expect, it } from 'vitest';
import { FilterError, parseFilter, wordsOf, type Filtered } from './filter.ts';

const list = [
  { name: 'model.conv1.weight', dtype: 'float32', shape: [16, 3, 3, 3], bytes: 1728, std: 0.2 },
  { name: 'model.conv10.weight', dtype: 'float16', shape: [64, 16], bytes: 2_000_000, std: 0.9 },
  { name: 'model.fc.bias', dtype: 'float32', shape: [10], bytes: 40, std: NaN },
  { name: 'optimizer.state.0.exp_avg', title: 'exp_avg of conv1.weight', shape: [], bytes: 8 },
];
const column = (key: 'bytes' | 'std') => list.map((row) => row[key] ?? NaN);
const rows: Filtered = {
  names: list.map(({ name }) => name),
  titles: list.map(({ title }) => title ?? ''),
  lower: list.map(({ name, title }) => `${name}\n${title ?? ''}`.toLowerCase()),
  dtype: (row) => list[row]!.dtype ?? 'int64',
  shape: (row) => list[row]!.shape,
  kind: (row) => (row < 2 ? 'Conv2d' : 'Linear, Embedding'),
  figure: (figure) => (figure === 'bytes' || figure === 'std' ? column(figure) : [0, 0.5, 1, NaN]),
  marks: new Map([['tied', (row) => row === 2]]),
};
const fitting = (text: string) => {
  const test = parseFilter(text, rows);
  return list.map((_, row) => row).filter((row) => !test || test(row));
};

describe('filter', () => {
  it.each<[string, number[]]>([
    ['', [0, 1, 2, 3]],
    ['  ', [0, 1, 2, 3]],
    ['CONV1', [0, 1, 3]],
    ['conv1 weight', [0, 1, 3]],
    ['conv1. !exp', [0]],
    ['conv?.weight', [0, 3]],
    ['conv*.weight', [0, 1, 3]],
    ['model.*', [0, 1, 2]],
    ['*.bias', [2]],
    ['onv1.*', []],
    ['state.*.exp_avg', [3]],
    ['/conv1\\b/', [0, 3]],
    ['/^model\\..*(weight|bias)$/ !fc', [0, 1]],
    ['/CONV1\\./i', [0, 3]],
    ['/^CONV/', []],
    ['/a b|of c/', [3]],
    ['>1MB', [1]],
    ['>=1.728kB', [0, 1]],
    ['bytes<=40', [2, 3]],
    ['>0 <41', [2, 3]],
    ['std>0.1', [0, 1]],
    ['!std>0.1', [2, 3]],
    ['zeros>=50%', [1, 2]],
    ['dtype:float16', [1]],
    ['dtype:torch.float16,int64', [1, 3]],
    ['shape:16,3,*', [0]],
    ['shape:[64, 16]', [1]],
    ['shape:10', [2]],
    ['kind:conv2d', [0, 1]],
    ['kind:"Linear, Embedding"', [2, 3]],
    ['is:tied', [2]],
    ['model.conv1.weight dtype:float32 <1MB', [0]],
    ['[', []],
  ])('%s', (text, expected) => expect(fitting(text)).toEqual(expected));

  it.each([
    ['/[/', '/[/ is no regular expression'],
    ['foo>1', '“foo” is no figure'],
    ['>', '“>” needs a number: >1MB'],
    ['std>x', '“std>x” needs a number: std>0.5'],
    ['is:tide', 'is:tide is not known: tied'],
    ['dtype:', 'dtype: needs a value'],
  ])('says what %s lacks', (text, message) => {
    expect(() => parseFilter(text, rows)).toThrow(FilterError);
    expect(() => parseFilter(text, rows)).toThrow(message);
  });

  it('ends soon on any text', () => {
    for (const text of ['"'.repeat(5000), '['.repeat(5000), '/\\'.repeat(5000), '*'.repeat(5000)]) {
      expect(wordsOf(text).join('').length).toBeLessThanOrEqual(text.length);
    }
  });
});
