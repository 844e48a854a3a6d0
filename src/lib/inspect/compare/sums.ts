/** The loops behind `Comparison`: one for each arithmetic, over blocks of elements of two tensors. */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import type { Arithmetic, Operand } from './arithmetic.ts';

/** What is added up over all blocks. */
export class Sums {
  count = 0;
  /** Places where both are finite: all that follows from `max` on is of these. */
  finite = 0;
  changed = 0;
  unmeasured = 0;
  readonly nans: [a: number, b: number] = [0, 0];
  readonly infinities: [a: number, b: number] = [0, 0];
  max = 0;
  /** Flat index of the first place with it. */
  at = 0;
  total = 0;
  squares = 0;
  squaresA = 0;
  squaresB = 0;
  dot = 0;
  /** Largest |a|. */
  largest = 0;
}

/** Adds the next elements of both. */
type Tally = (sums: Sums, a: Operand, b: Operand) => void;

export const tallies: Readonly<Record<Arithmetic, (a: Dtype, b: Dtype) => Tally>> = {
  float32: () => tallyReals,
  float64: () => tallyReals,
  complex: () => tallyComplex,
  long: (a, b) => longs(a === 'int64', b === 'int64'),
  bytes: () => tallyBytes,
};

/**
 * Real numbers: as if all of them were finite, which the sums themselves tell; else one by one. Their
 * maxima are taken by `Math.max`, which has no branch.
 */
function tallyReals(sums: Sums, a: Operand, b: Operand): void {
  let [squaresA, squaresB, dot, squares, total] = [0, 0, 0, 0, 0];
  let [max, largest, equal] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const x = a[i]!;
    const y = b[i]!;
    const delta = y - x;
    const distance = Math.abs(delta);
    squaresA += x * x;
    squaresB += y * y;
    dot += x * y;
    squares += delta * delta;
    total += distance;
    max = Math.max(max, distance);
    largest = Math.max(largest, Math.abs(x));
    if (delta === 0) equal++;
  }
  if (!(squaresA + squaresB + squares < Infinity)) return tallyEach(sums, a, b);
  if (max > sums.max) {
    sums.max = max;
    sums.at = sums.count + a.findIndex((x, i) => Math.abs(b[i]! - x) === max);
  }
  sums.count += a.length;
  sums.finite += a.length;
  sums.changed += a.length - equal;
  sums.squaresA += squaresA;
  sums.squaresB += squaresB;
  sums.dot += dot;
  sums.squares += squares;
  sums.total += total;
  sums.largest = Math.max(sums.largest, largest);
}

function tallyEach(sums: Sums, a: Operand, b: Operand): void {
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]!, b[i]!];
    const place = sums.count++;
    if (!areFinite(sums, kindOf(x), kindOf(y), x === y)) continue;
    sums.finite++;
    sums.squaresA += x * x;
    sums.squaresB += y * y;
    sums.dot += x * y;
    sums.largest = Math.max(sums.largest, Math.abs(x));
    if (x !== y) addChange(sums, Math.abs(y - x), place);
  }
}

/** A block that is the same on both sides, bit for bit. */
export function tallySame(sums: Sums, a: Operand): void {
  let [squares, largest] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const x = a[i]!;
    squares += x * x;
    largest = Math.max(largest, Math.abs(x));
  }
  if (!(squares < Infinity)) return tallyEach(sums, a, a);
  sums.count += a.length;
  sums.finite += a.length;
  sums.squaresA += squares;
  sums.squaresB += squares;
  sums.dot += squares;
  sums.largest = Math.max(sums.largest, largest);
}

/** Real and imaginary parts in turn. */
function tallyComplex(sums: Sums, a: Operand, b: Operand): void {
  for (let i = 0; i < a.length; i += 2) {
    const [ax, ay, bx, by] = [a[i]!, a[i + 1]!, b[i]!, b[i + 1]!];
    const place = sums.count++;
    const isSame = ax === bx && ay === by;
    if (!areFinite(sums, kindOf(ax, ay), kindOf(bx, by), isSame)) continue;
    sums.finite++;
    sums.squaresA += ax * ax + ay * ay;
    sums.squaresB += bx * bx + by * by;
    sums.dot += ax * bx + ay * by;
    sums.largest = Math.max(sums.largest, Math.hypot(ax, ay));
    if (!isSame) addChange(sums, Math.hypot(bx - ax, by - ay), place);
  }
}

/** Integers of 64 bits as halves, the lower one first. Their distance is exact but for one rounding. */
function longs(isSignedA: boolean, isSignedB: boolean): Tally {
  return (sums, a, b) => {
    for (let i = 0; i < a.length; i += 2) {
      const place = sums.count++;
      const [lowA, lowB] = [a[i]! >>> 0, b[i]! >>> 0];
      const highA = isSignedA ? a[i + 1]! : a[i + 1]! >>> 0;
      const highB = isSignedB ? b[i + 1]! : b[i + 1]! >>> 0;
      const [x, y] = [highA * 2 ** 32 + lowA, highB * 2 ** 32 + lowB];
      sums.finite++;
      sums.squaresA += x * x;
      sums.squaresB += y * y;
      sums.dot += x * y;
      sums.largest = Math.max(sums.largest, Math.abs(x));
      const distance = Math.abs((highB - highA) * 2 ** 32 + (lowB - lowA));
      if (distance !== 0) addChange(sums, distance, place);
    }
  };
}

function addChange(sums: Sums, distance: number, place: number): void {
  sums.changed++;
  sums.total += distance;
  sums.squares += distance * distance;
  if (distance > sums.max) {
    sums.max = distance;
    sums.at = place;
  }
}

/** Elements of which only equality is known. */
function tallyBytes(sums: Sums, a: Operand, b: Operand): void {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) sums.changed++;
  sums.count += a.length;
}

type Kind = 'finite' | 'nan' | 'infinite';

/** A complex number is NaN where a part is, else infinite where one is. */
export function kindOf(real: number, imaginary = 0): Kind {
  if (Number.isNaN(real) || Number.isNaN(imaginary)) return 'nan';
  return Number.isFinite(real) && Number.isFinite(imaginary) ? 'finite' : 'infinite';
}

/** Counts a place where one of two numbers is NaN or infinite; true where both are finite. */
function areFinite(sums: Sums, a: Kind, b: Kind, isSame: boolean): boolean {
  if (a === 'finite' && b === 'finite') return true;
  [a, b].forEach((kind, side) => {
    if (kind === 'nan') sums.nans[side]!++;
    if (kind === 'infinite') sums.infinities[side]!++;
  });
  if (!isSame && !(a === 'nan' && b === 'nan')) {
    sums.changed++;
    sums.unmeasured++;
  }
  return false;
}
