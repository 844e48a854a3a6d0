/**
 * A tensor as pictures. Axes of one element are left out; of those that remain, the last two are the
 * rows and columns of a picture, and the ones before count pictures: the channels of (1, C, H, W), the
 * heads of (1, H, L, S). A single axis makes bars.
 */
import type { Numbers } from './statistics.ts';

export type Pictures =
  | { readonly kind: 'number'; readonly value: number }
  | Bars
  | {
      readonly kind: 'maps';
      /** Pictures that there are; `maps` has some of them, from number `start` on. */
      readonly total: number;
      readonly start: number;
      /** Rows and columns of the tensor, and of these every how manieth is in the picture. */
      readonly rows: number;
      readonly columns: number;
      readonly step: { readonly rows: number; readonly columns: number };
      readonly maps: readonly Map2d[];
    };

export interface Bars {
  readonly kind: 'bars';
  readonly count: number;
  /** Numbers that one bar stands for, from the least to the largest of them. */
  readonly step: number;
  readonly low: Float32Array;
  readonly high: Float32Array;
}

export interface Map2d {
  /** Index of the picture in the tensor, as Python writes it: `0, 3`. */
  readonly index: string;
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** Larger pictures have no room on a page. */
const LARGEST_SIDE = 1024;
const MOST_BARS = 512;

/** Pictures `start` to `start + count` of a tensor. */
export function picturesOf(
  values: Numbers,
  shape: readonly number[],
  { start, count }: { start: number; count: number },
): Pictures {
  const sides = shape.filter((size) => size !== 1);
  const [rows, columns] = sides.slice(-2);
  if (rows === undefined) return { kind: 'number', value: values[0]! };
  if (columns === undefined) return barsOf(values);
  const plane = rows * columns;
  const total = plane === 0 ? 0 : values.length / plane;
  const step = { rows: stepFor(rows), columns: stepFor(columns) };
  const maps = Array.from({ length: Math.max(0, Math.min(count, total - start)) }, (_, at) =>
    mapOf(values.subarray((start + at) * plane, (start + at + 1) * plane), columns, step),
  ).map((map, at) => ({ ...map, index: indexOf(start + at, shape, plane) }));
  return { kind: 'maps', total, start, rows, columns, step, maps };
}

function stepFor(size: number): number {
  return Math.ceil(size / LARGEST_SIDE);
}

function mapOf(
  values: Numbers,
  columns: number,
  step: { rows: number; columns: number },
): Omit<Map2d, 'index'> {
  const width = Math.ceil(columns / step.columns);
  const height = Math.ceil(values.length / columns / step.rows);
  if (step.rows === 1 && step.columns === 1) {
    return { width, height, values: Float32Array.from(values) };
  }
  const taken = new Float32Array(width * height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      taken[row * width + column] = values[row * step.rows * columns + column * step.columns]!;
    }
  }
  return { width, height, values: taken };
}

/** Where the picture that begins at a multiple of `plane` lies: the index of its leading axes. */
function indexOf(picture: number, shape: readonly number[], plane: number): string {
  let [axes, size] = [shape.length, 1];
  while (size < plane) size *= shape[--axes]!;
  const index: number[] = [];
  let left = picture;
  for (const length of shape.slice(0, axes).toReversed()) {
    index.unshift(left % length);
    left = Math.floor(left / length);
  }
  return index.join(', ');
}

function barsOf(values: Numbers): Bars {
  const step = Math.max(1, Math.ceil(values.length / MOST_BARS));
  const bars = Math.ceil(values.length / step);
  const low = new Float32Array(bars).fill(Infinity);
  const high = new Float32Array(bars).fill(-Infinity);
  for (const [at, value] of values.entries()) {
    const bar = Math.floor(at / step);
    low[bar] = Math.min(low[bar]!, value);
    high[bar] = Math.max(high[bar]!, value);
  }
  return { kind: 'bars', count: values.length, step, low, high };
}
