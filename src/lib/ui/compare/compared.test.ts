import { describe, expect, it } from 'vitest';
import type { Difference, PairRow, Series } from '#lib/worker/protocol.ts';
import {
  comparedRow,
  countRows,
  figureOf,
  orderOf,
  recordsCsv,
  stateOf,
  summaryOf,
  toRecords,
} from './compared.ts';
import { formatShare } from '../format.ts';
import { formatChange, formatCosine } from './figures.ts';
import { heightsOf, layerBars } from './layers.ts';
import { changesOf, largestStep, sparkline, wholeSeries } from './series_lines.ts';

function pair(name: string, sides: 'ab' | 'a' | 'b' = 'ab', more: Partial<PairRow> = {}): PairRow {
  const tensor = { place: 0, name, dtype: 'float32', shape: [2], requiresGrad: false } as const;
  return {
    a: sides.includes('a') ? tensor : null,
    b: sides.includes('b') ? tensor : null,
    ...more,
  };
}

function difference(changed: number, relative = 0, more: Partial<Difference> = {}): Difference {
  return {
    ...{ count: 2, of: 'elements', identical: changed === 0, changed, unmeasured: 0 },
    nans: [0, 0],
    infinities: [0, 0],
    measured: {
      ...{ max: relative, at: 0, mean: relative, relative, norm: relative, norms: [1, 1] },
      cosine: 1,
    },
    ...more,
  };
}

const rows = [
  comparedRow(pair('equal'), difference(0)),
  comparedRow(pair('little'), difference(1, 0.1)),
  comparedRow(pair('much'), difference(2, 0.5)),
  comparedRow(pair('alone', 'a'), undefined),
  comparedRow(pair('other', 'b'), undefined),
];

describe('a comparison in words', () => {
  it('says what is equal and where the most has changed', () => {
    expect(summaryOf(rows)).toBe(
      '1 of 3 tensors is equal; 2 differ, most in much. 1 is only in A, 1 only in B.',
    );
    expect(summaryOf(rows.slice(0, 2))).toBe('1 of 2 tensors is equal; 1 differs: little.');
    expect(summaryOf(rows.slice(3))).toBe('No tensor has a partner. 1 is only in A, 1 only in B.');
    expect(summaryOf([])).toBe('Neither side holds a tensor.');
  });

  it('says bit for bit only where that is so', () => {
    const same = comparedRow(pair('x'), difference(0, 0, { identical: false }));
    expect(summaryOf([rows[0]!, rows[0]!])).toBe('All 2 tensors are equal, bit for bit.');
    expect(summaryOf([rows[0]!, same])).toBe(
      '2 of 2 tensors are equal, 1 in other bits or another dtype.',
    );
    expect(countRows([same, rows[0]!])).toMatchObject({ same: 1, equal: 1 });
  });

  it('counts a place that cannot be measured as the largest change', () => {
    const odd = comparedRow(pair('odd'), difference(1, 0, { unmeasured: 1 }));
    expect(stateOf(odd)).toBe('changed, not finite');
    expect(figureOf(odd, 'relative')).toBe(Infinity);
    expect(summaryOf([...rows, odd])).toContain('most in odd');
  });

  it('does not call equal alone what stands for other numbers', () => {
    const facts = [{ label: 'scale', a: '0.5', b: '0.25' }];
    const row = comparedRow(pair('q', 'ab', { facts }), difference(0));
    expect(stateOf(row)).toBe('equal, but…');
    expect(summaryOf([row])).toBe(
      'The tensor is equal, bit for bit. Beside numbers, 1 pair differs: in memory format, ties, requires_grad or quantization.',
    );
    expect(toRecords([row])[0]).toMatchObject({ status: 'equal', facts: 'scale: 0.5 → 0.25' });
  });

  it('tells another shape from what could not be read', () => {
    const shapes = pair('x', 'ab', { obstacle: 'another shape' });
    const other = { ...shapes, b: { ...shapes.b!, shape: [3] } };
    expect(comparedRow(other, undefined)).toMatchObject({ status: 'shape', shape: '[2] → [3]' });
    const meta = comparedRow(
      pair('x', 'ab', { obstacle: 'its file holds no elements' }),
      undefined,
    );
    expect([meta.status, meta.reason]).toEqual(['unread', 'its file holds no elements']);
    expect(comparedRow(pair('x'), 'zip: cut off')).toMatchObject({ status: 'unread' });
    expect(comparedRow(pair('x'), undefined).status).toBe('pending');
  });
});

it('sorts by change: what has none of its own stands before what is equal', () => {
  const names = (column: string | null, descending: boolean) =>
    orderOf(rows, { column, descending }).map(({ name }) => name);
  expect(names('relative', true)).toEqual(['much', 'little', 'alone', 'other', 'equal']);
  expect(names('relative', false).slice(0, 3)).toEqual(['equal', 'little', 'much']);
  expect(names(null, false)).toEqual(rows.map(({ name }) => name));
  expect(names('name', false)).toEqual(['alone', 'equal', 'little', 'much', 'other']);
});

it('is saved as a table, with what JSON cannot hold as text', () => {
  const odd = comparedRow(pair('a,b'), difference(1, Infinity));
  const [record] = toRecords([odd]);
  expect(record).toMatchObject({ a: 'a,b', status: 'changed', max_abs_difference: 'Infinity' });
  const [head, line] = recordsCsv([record!]).split('\r\n');
  expect(head).toMatch(/^a,b,status,dtype_a,/);
  expect(line).toMatch(/^"a,b","a,b",changed,float32,float32,\[2\],\[2\],2,1,0,Infinity,/);
});

describe('layerBars', () => {
  const named = ['fc1.weight', 'fc1.bias', 'fc2.weight'].map((name, at) =>
    comparedRow(pair(name), difference(1, [0.3, 0.4, 0][at]!)),
  );

  it('takes the tensors of a module together as one vector', () => {
    expect(layerBars(named, 'tensor', 10).map(({ change }) => change)).toEqual([0.3, 0.4, 0]);
    const [fc1, fc2] = layerBars(named, 'module', 10);
    expect([fc1!.name, fc1!.row.name, fc2!.name]).toEqual(['fc1', 'fc1.bias', 'fc2']);
    expect(fc1!.change).toBeCloseTo(0.5 / Math.SQRT2);
  });

  it('shows the largest of those that share a bar', () => {
    const bars = layerBars(named, 'tensor', 2);
    expect(bars.map(({ name, together }) => [name, together])).toEqual([
      ['fc1.bias', 2],
      ['fc2.weight', 1],
    ]);
  });

  it('scales', () => {
    expect(heightsOf([0, 1, 2, Infinity], 'linear')).toEqual([0, 0.5, 1, 1]);
    const [zero, small, large] = heightsOf([0, 1e-4, 1], 'log');
    expect([zero, large]).toEqual([0, 1]);
    expect(small).toBeGreaterThan(0.05);
    expect(heightsOf([0, 0], 'log')).toEqual([0, 0]);
  });
});

it('writes numbers short', () => {
  expect([0.001234, 1.5e-7, 0, -0.5, Infinity, 123456, null].map(formatChange)).toEqual([
    ...['0.00123', '1.5e-7', '0', '-0.5', '∞', '1.2e+5', ''],
  ]);
  expect([1, 0.5, 1 - 3e-8, 1 - 1e-16, null].map(formatCosine)).toEqual([
    ...['1', '0.5', '1 − 3e-8', '1', ''],
  ]);
  const shares = [0, 1e-6, 0.0123, 0.9997, 1].map(formatShare);
  expect(shares).toEqual(['0', '< 0.01 %', '1.23 %', '> 99.9 %', '100 %']);
});

it('follows a series as one vector', () => {
  const tensor = (norms: number[], moves: (number | null)[]) => ({
    ...{ name: 'x', shape: [1], norms, moves, gaps: [] },
  });
  const series: Series = {
    members: [1, 2].map((epoch) => ({ name: `${epoch}.pt`, epoch, step: null, isNamed: false })),
    tensors: [tensor([3, 3], [null, 0.3]), tensor([0, 4], [null, 0.4])],
  };
  expect(wholeSeries(series)).toEqual({ norms: [3, 5], moves: [null, 0.5] });
  const gap = { ...tensor([9, NaN], [null, null]), gaps: [{ member: 1, why: 'it is not there' }] };
  const partly = { ...series, tensors: [...series.tensors, gap] };
  expect(wholeSeries(partly)).toEqual({ norms: [3, 5], moves: [null, 0.5] });
  expect(changesOf(series.tensors[0]!)).toEqual([null, 0.3 / 3]);
  expect(changesOf(series.tensors[1]!)).toEqual([null, Infinity]);
  expect(largestStep([null, 1, 3])).toBe(3);
  expect(sparkline([null, 1, 2])).toBe('50.0,18.0 100.0,2.0');
  expect(sparkline([1])).toBe('');
});
