/** What the numbers of a tensor are like, as PyTorch would say it. */

export type Numbers = Float32Array | Int32Array | Uint8Array;

/** Of the finite numbers; null where there are none (the deviation needs two). */
export interface Statistics {
  readonly count: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  /** `tensor.std()`: with Bessel's correction. */
  readonly std: number | null;
  readonly zeros: number;
  readonly nans: number;
  /** Infinite numbers of either sign. */
  readonly infinities: number;
}

/** How many numbers lie in each of equally wide parts of `low` to `high`; the last part has both ends. */
export interface Histogram {
  readonly low: number;
  readonly high: number;
  readonly counts: readonly number[];
}

/** Sums are taken in doubles. */
export function statisticsOf(values: Numbers): Statistics {
  let [min, max, sum] = [Infinity, -Infinity, 0];
  let [zeros, nans, infinities] = [0, 0, 0];
  for (const value of values) {
    if (Number.isFinite(value)) {
      if (value < min) min = value;
      if (value > max) max = value;
      sum += value;
      if (value === 0) zeros++;
    } else if (Number.isNaN(value)) nans++;
    else infinities++;
  }
  const count = values.length;
  const finite = count - nans - infinities;
  if (finite === 0) {
    return { count, min: null, max: null, mean: null, std: null, zeros, nans, infinities };
  }
  const mean = sum / finite;
  let squares = 0;
  for (const value of values) if (Number.isFinite(value)) squares += (value - mean) ** 2;
  const std = finite > 1 ? Math.sqrt(squares / (finite - 1)) : null;
  return { count, min, max, mean, std, zeros, nans, infinities };
}

/** Parts of a histogram. */
const PARTS = 48;

/** The finite numbers of a tensor in parts between its least and its largest; null without any. */
export function histogramOf(values: Numbers, { min, max }: Statistics): Histogram | null {
  if (min === null || max === null) return null;
  // Whole numbers get parts of whole widths, else some would hold more of them than others.
  const whole =
    values instanceof Float32Array ? 0 : Math.max(1, Math.ceil((max - min + 1) / PARTS));
  const parts = whole > 0 ? Math.ceil((max - min + 1) / whole) : min === max ? 1 : PARTS;
  const high = whole > 0 ? min + parts * whole : max;
  const counts = new Array<number>(parts).fill(0);
  const scale = parts / (high - min);
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    const part = min === high ? 0 : Math.floor((value - min) * scale);
    counts[Math.min(part, parts - 1)]!++;
  }
  return { low: min, high, counts };
}
