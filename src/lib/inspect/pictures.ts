/**
 * A tensor as pictures. Axes of one element are left out; of those that remain, the last two are the
 * rows and columns of a picture, and the ones before count pictures: the channels of (1, C, H, W), the
 * heads of (1, H, L, S). A single axis makes bars. What has more numbers than a page has pixels is
 * drawn in blocks, each as one number; the numbers come in row by row and are never held together.
 */
import type { Doubles } from './numbers.ts';

export type Pictures =
  | { readonly kind: 'number'; readonly value: number }
  | Bars
  | {
      readonly kind: 'maps';
      /** Pictures that there are; `maps` has some of them, from number `start` on. */
      readonly total: number;
      readonly start: number;
      /** The axes of the tensor that are the rows and columns of a picture. */
      readonly axes: readonly [row: number, column: number];
      /** Their sizes, and how many of them one pixel stands for. */
      readonly rows: number;
      readonly columns: number;
      readonly step: { readonly rows: number; readonly columns: number };
      /** What a pixel shows of its numbers, where they are several. */
      readonly by: Reduction;
      readonly maps: readonly Map2d[];
    };

/** NaN wins in all of them. */
export type Reduction = 'mean' | 'min' | 'max';

export interface Bars {
  readonly kind: 'bars';
  /** The axis that it runs along. */
  readonly axis: number;
  readonly count: number;
  /** Numbers that one bar stands for, from the least to the largest of them. */
  readonly step: number;
  readonly low: Float32Array;
  readonly high: Float32Array;
}

export interface Map2d {
  /** Along the axes before that of its rows. */
  readonly index: readonly number[];
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** Which pictures, and what is drawn of numbers that share a pixel. */
export interface Wish {
  readonly start: number;
  readonly count: number;
  readonly by: Reduction;
}

/** Larger pictures have no room on a page. */
const LARGEST_SIDE = 1024;
const MOST_BARS = 512;

/** Pictures `start` to `start + count` of a tensor. */
export function picturesOf(
  values: Doubles,
  shape: readonly number[],
  { start, count, by }: Wish,
): Pictures {
  const plan = planOf(shape);
  if (plan.kind === 'number') return { kind: 'number', value: values[0]! };
  if (plan.kind === 'bars') {
    const drawing = new BarDrawing(plan);
    drawing.add(values);
    return drawing.done();
  }
  const { plane, total } = plan;
  const maps = range(start, Math.min(total, start + count)).map((at) => {
    const drawing = new MapDrawing(plan, by);
    drawing.add(values.subarray(at * plane, (at + 1) * plane));
    return drawing.done(indexOf(at, plan.leading));
  });
  return mapsOf(plan, start, by, maps);
}

function range(start: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - start) }, (_, at) => start + at);
}

/** How a shape is pictured. */
export type Plan = { readonly kind: 'number' } | BarPlan | MapPlan;

type BarPlan = Pick<Bars, 'kind' | 'axis' | 'count'>;

export interface MapPlan {
  readonly kind: 'maps';
  /** Sizes of the axes before those of a picture. */
  readonly leading: readonly number[];
  readonly total: number;
  readonly axes: readonly [row: number, column: number];
  readonly rows: number;
  readonly columns: number;
  /** Numbers of one picture. */
  readonly plane: number;
  readonly step: { readonly rows: number; readonly columns: number };
}

export function planOf(shape: readonly number[]): Plan {
  const sides = [...shape.keys()].filter((axis) => shape[axis] !== 1);
  const [rowAxis, columnAxis] = sides.slice(-2);
  if (rowAxis === undefined) return { kind: 'number' };
  if (columnAxis === undefined) return { kind: 'bars', axis: rowAxis, count: shape[rowAxis]! };
  const [rows, columns] = [shape[rowAxis]!, shape[columnAxis]!];
  const plane = rows * columns;
  const leading = shape.slice(0, rowAxis);
  const total = plane === 0 ? 0 : leading.reduce((product, size) => product * size, 1);
  const step = { rows: stepFor(rows), columns: stepFor(columns) };
  const axes = [rowAxis, columnAxis] as const;
  return { kind: 'maps', leading, total, axes, rows, columns, plane, step };
}

function stepFor(size: number): number {
  return Math.max(1, Math.ceil(size / LARGEST_SIDE));
}

export function mapsOf(
  { total, axes, rows, columns, step }: MapPlan,
  start: number,
  by: Reduction,
  maps: readonly Map2d[],
): Pictures {
  return { kind: 'maps', total, start, axes, rows, columns, step, by, maps };
}

/** Index of element `at` of a row-major array. */
export function indexOf(at: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  let left = at;
  for (const size of shape.toReversed()) {
    index.unshift(left % size);
    left = Math.floor(left / size);
  }
  return index;
}

/** One picture, of numbers that come in row-major order, in as many pieces as may be. */
export class MapDrawing {
  readonly #plan: MapPlan;
  readonly #by: Reduction;
  readonly #width: number;
  readonly #values: Float64Array;
  #row = 0;
  #column = 0;

  constructor(plan: MapPlan, by: Reduction) {
    this.#plan = plan;
    this.#by = by;
    this.#width = Math.ceil(plan.columns / plan.step.columns);
    const height = Math.ceil(plan.rows / plan.step.rows);
    const first = { mean: 0, min: Infinity, max: -Infinity }[by];
    this.#values = new Float64Array(this.#width * height).fill(first);
  }

  add(values: ArrayLike<number>): void {
    const { columns, step } = this.#plan;
    const pixels = this.#values;
    let [row, column] = [this.#row, this.#column];
    for (let at = 0; at < values.length;) {
      const end = Math.min(values.length, at + columns - column);
      const line = Math.floor(row / step.rows) * this.#width;
      for (; at < end; at++, column++) {
        const pixel = line + Math.floor(column / step.columns);
        pixels[pixel] = this.#joined(pixels[pixel]!, values[at]!);
      }
      if (column === columns) [row, column] = [row + 1, 0];
    }
    [this.#row, this.#column] = [row, column];
  }

  #joined(before: number, value: number): number {
    if (this.#by === 'mean') return before + value;
    return this.#by === 'min' ? Math.min(before, value) : Math.max(before, value);
  }

  done(index: readonly number[]): Map2d {
    const { rows, columns, step } = this.#plan;
    const width = this.#width;
    const height = this.#values.length / width;
    const values = Float32Array.from(this.#values);
    if (this.#by === 'mean' && (step.rows > 1 || step.columns > 1)) {
      for (let pixel = 0; pixel < values.length; pixel++) {
        const [y, x] = [Math.floor(pixel / width), pixel % width];
        const high = Math.min(step.rows, rows - y * step.rows);
        const wide = Math.min(step.columns, columns - x * step.columns);
        values[pixel] = this.#values[pixel]! / (high * wide);
      }
    }
    return { index, width, height, values };
  }
}

/** The bars of numbers that come in their order, in as many pieces as may be. */
export class BarDrawing {
  readonly #plan: BarPlan;
  readonly #step: number;
  readonly #low: Float32Array;
  readonly #high: Float32Array;
  #at = 0;

  constructor(plan: BarPlan) {
    const { count } = (this.#plan = plan);
    this.#step = Math.max(1, Math.ceil(count / MOST_BARS));
    const bars = Math.ceil(count / this.#step);
    this.#low = new Float32Array(bars).fill(Infinity);
    this.#high = new Float32Array(bars).fill(-Infinity);
  }

  add(values: ArrayLike<number>): void {
    for (let at = 0; at < values.length; at++) {
      const bar = Math.floor(this.#at++ / this.#step);
      this.#low[bar] = Math.min(this.#low[bar]!, values[at]!);
      this.#high[bar] = Math.max(this.#high[bar]!, values[at]!);
    }
  }

  done(): Bars {
    return { ...this.#plan, step: this.#step, low: this.#low, high: this.#high };
  }
}
