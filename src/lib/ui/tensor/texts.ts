/** How wide the values of a dtype are, and which of them stand out. */
import type { Dtype, TensorSummary } from '#lib/worker/protocol.ts';
import { words as all } from './words.ts';

const words = all.statistics.odd;

/** Characters of the longest value, as it is written exactly. */
const longest: Partial<Record<Dtype, number>> = {
  float64: 24,
  float32: 15,
  float16: 11,
  bfloat16: 11,
  int64: 20,
  uint64: 20,
  int32: 11,
  uint32: 10,
  qint32: 11,
  complex128: 52,
  complex64: 32,
  complex32: 24,
  float8_e4m3fn: 12,
  float8_e4m3fnuz: 13,
  float8_e5m2: 19,
  float8_e5m2fnuz: 19,
  float8_e8m0fnu: 22,
};
/** Of the small integers and bits. */
const shorter = 9;

/** Characters that a column of such values needs, with a space on either side. */
export function cellWidth(dtype: Dtype): number {
  return (longest[dtype] ?? shorter) + 2;
}

/** NaN and the infinities, of complex values in either part. */
export function isOdd(text: string): boolean {
  return /nan|inf/.test(text);
}

export function isZero(text: string): boolean {
  return /^\(?-?0(\.0)?([+-]0\.0j\))?$/.test(text);
}

/**
 * Seven significant digits, or fewer: `0.1` for what float32 makes of it. Whole numbers in full, as far
 * as a float tells them from their neighbours; larger ones with an exponent.
 */
export function shortNumber(value: number | bigint | null, digits = 7): string {
  if (value === null) return '–';
  if (typeof value === 'bigint' || Number.isSafeInteger(value))
    return value.toLocaleString('en-US');
  const short = Number(value.toPrecision(digits));
  return Math.abs(short) >= Number.MAX_SAFE_INTEGER ? short.toExponential() : String(short);
}

export interface Oddity {
  text: string;
  /** Numbers that spread to all that is computed with them. */
  isBad: boolean;
}

/** What a person should look at in the numbers of a tensor. */
export function oddities(statistics: TensorSummary): Oddity[] {
  const { count, nans, zeros, denormals, min, max } = statistics;
  const infinities = statistics.positiveInfinities + statistics.negativeInfinities;
  const odd: Oddity[] = [];
  if (nans > 0) odd.push({ text: words.nans(nans), isBad: true });
  if (infinities > 0) odd.push({ text: words.infinities(infinities), isBad: true });
  if (denormals > 0) odd.push({ text: words.denormals(denormals), isBad: false });
  if (count > 0 && zeros === count) odd.push({ text: words.zero, isBad: false });
  else if (count > 1 && nans + infinities === 0 && min === max) {
    odd.push({ text: words.equal, isBad: false });
  }
  return odd;
}
