import { describe, expect, it } from 'vitest';
import { picturesOf, type Reduction } from './pictures.ts';

const range = (length: number) => Float32Array.from({ length }, (_, at) => at);
const all = { start: 0, count: 100, by: 'mean' } as const;

describe('pictures', () => {
  it('are the channels of (1, C, H, W), by their index in the tensor', () => {
    const shape = [1, 3, 2, 4];
    const pictures = picturesOf(range(24), shape, { ...all, start: 1, count: 5 });
    expect(pictures).toMatchObject({ kind: 'maps', total: 3, start: 1, rows: 2, columns: 4 });
    const maps = pictures.kind === 'maps' ? pictures.maps : [];
    expect(maps.map(({ index }) => index)).toEqual([
      [0, 1],
      [0, 2],
    ]);
    expect([...maps[0]!.values]).toEqual([8, 9, 10, 11, 12, 13, 14, 15]);
  });

  it('count over all leading axes', () => {
    const pictures = picturesOf(range(2 * 3 * 4), [2, 3, 1, 2, 2], { ...all, start: 4, count: 1 });
    expect(pictures).toMatchObject({ total: 6, axes: [3, 4], maps: [{ index: [1, 1, 0] }] });
    expect(picturesOf(range(6), [2, 1, 3], all)).toMatchObject({ total: 1, axes: [0, 2] });
  });

  it('is one of (1, T, C), without an index where the tensor is the picture', () => {
    expect(picturesOf(range(6), [1, 2, 3], all)).toMatchObject({
      total: 1,
      maps: [{ index: [0] }],
    });
    expect(picturesOf(range(6), [2, 3], all)).toMatchObject({ total: 1, maps: [{ index: [] }] });
  });

  it('are bars of a single axis, and a number of none', () => {
    expect(picturesOf(range(5), [1, 5, 1, 1], all)).toMatchObject({
      kind: 'bars',
      axis: 1,
      count: 5,
      step: 1,
    });
    expect(picturesOf(range(1), [1, 1], all)).toEqual({ kind: 'number', value: 0 });
  });

  it('take long vectors together, from the least to the largest', () => {
    const bars = picturesOf(range(1000), [1000], all);
    if (bars.kind !== 'bars') throw new Error(bars.kind);
    expect([bars.step, bars.low.length]).toEqual([2, 500]);
    expect([bars.low[499], bars.high[499]]).toEqual([998, 999]);
  });

  it('draw blocks of rows and columns where they are too many, as their mean, least or largest', () => {
    const values = range(3 * 2001);
    const drawn = (by: Reduction) => {
      const pictures = picturesOf(values, [3, 2001], { ...all, by });
      if (pictures.kind !== 'maps') throw new Error(pictures.kind);
      expect(pictures.step).toEqual({ rows: 1, columns: 2 });
      const [map] = pictures.maps;
      expect([map!.width, map!.height]).toEqual([1001, 3]);
      // The last block of a row is one number.
      return [0, 1, 1000, 1001].map((at) => map!.values[at]);
    };
    expect(drawn('mean')).toEqual([0.5, 2.5, 2000, 2001.5]);
    expect(drawn('min')).toEqual([0, 2, 2000, 2001]);
    expect(drawn('max')).toEqual([1, 3, 2000, 2002]);
    values[1] = NaN;
    for (const by of ['mean', 'min', 'max'] as const) expect(drawn(by)[0]).toBeNaN();
  });

  it('are none of an empty tensor', () => {
    expect(picturesOf(range(0), [2, 0, 3], all)).toMatchObject({
      kind: 'maps',
      total: 0,
      maps: [],
    });
    expect(picturesOf(range(0), [0], all)).toMatchObject({ kind: 'bars', count: 0 });
  });
});
