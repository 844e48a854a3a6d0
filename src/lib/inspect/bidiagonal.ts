/**
 * Singular values by way of a bidiagonal matrix, in doubles: Householder reflections from both sides
 * (Golub and Kahan 1965) leave only the diagonal and the one above it, whose singular values are the
 * positive eigenvalues of a tridiagonal matrix (the same, in its order 1, 2 of rows and columns).
 */

/** Diagonal and the one above, of a matrix with as many rows as columns. */
export interface Bidiagonal {
  readonly diagonal: Float64Array;
  /** One less than on the diagonal, and a 0. */
  readonly above: Float64Array;
}

type Pause = () => Promise<void>;

/** Rows that are gone through side by side, so that what they share is read once. */
export const ROWS = 4;

/**
 * Makes a matrix bidiagonal, which is used up. It is given by its rows, at least as many as columns and a
 * multiple of ROWS: rows of zeros change no singular value. Its
 * largest element is about 1. Each step takes a column and a row. It needs
 * the matrix times two vectors, and changes it by two products of vectors; the change is carried out when
 * the next step goes through the matrix for its first vector, so that a step goes through it twice.
 */
export async function bidiagonalize(
  matrix: readonly Float64Array[],
  pause: Pause,
  progress?: (step: number) => void,
): Promise<Bidiagonal> {
  const [rows, columns] = [matrix.length, matrix[0]!.length];
  const diagonal = new Float64Array(columns);
  const above = new Float64Array(columns);
  const change: Change = {
    left: new Float64Array(rows),
    leftTimes: new Float64Array(columns),
    rightTimes: new Float64Array(rows),
    right: new Float64Array(columns),
  };
  const { left, leftTimes, rightTimes, right } = change;
  const reflector = new Float64Array(rows);
  for (let step = 0; step < columns; step++) {
    await pause();
    reflector.fill(0, 0, step);
    for (let at = step; at < rows; at++) {
      const taken = left[at]! * leftTimes[step]! + rightTimes[at]! * right[step]!;
      reflector[at] = matrix[at]![step]! - taken;
    }
    const column = reflect(reflector, step);
    diagonal[step] = column.value;
    const times = new Float64Array(columns);
    for (let at = step - (step % ROWS); at < rows; at += ROWS) {
      changeRows(matrix, at, step + 1, change, reflector, times);
    }
    for (let at = step + 1; at < columns; at++) leftTimes[at] = times[at]! * column.factor;
    left.set(reflector);
    progress?.(step + 1);
    if (step + 1 === columns) break;

    for (let at = step + 1; at < columns; at++) {
      right[at] = matrix[step]![at]! - left[step]! * leftTimes[at]!;
    }
    right[step] = 0;
    const row = reflect(right, step + 1);
    above[step] = row.value;
    for (let at = step - (step % ROWS); at < rows; at += ROWS) {
      multiplyRows(matrix, at, step + 1, right, rightTimes);
    }
    const both = dot(leftTimes, right, step + 1);
    for (let at = 0; at < rows; at++) {
      rightTimes[at] = at <= step ? 0 : row.factor * (rightTimes[at]! - left[at]! * both);
    }
  }
  return { diagonal, above };
}

/** What is yet to be taken from the matrix: left · leftTimesᵀ + rightTimes · rightᵀ. */
interface Change {
  readonly left: Float64Array;
  readonly leftTimes: Float64Array;
  readonly rightTimes: Float64Array;
  readonly right: Float64Array;
}

/** Of vectors shorter than this the square leaves the doubles, and against 1 they are nothing. */
const NOTHING = 2 ** -400;

/**
 * Turns the vector from a place on into that of the reflection which leaves only `value` there:
 * I − factor · vector · vectorᵀ.
 */
function reflect(vector: Float64Array, from: number): { value: number; factor: number } {
  const norm = Math.sqrt(dot(vector, vector, from));
  if (norm < NOTHING) return { value: 0, factor: 0 };
  const first = vector[from]!;
  const value = first > 0 ? -norm : norm;
  vector[from] = first - value;
  return { value, factor: 1 / (norm * (norm + Math.abs(first))) };
}

/** Carries the change out in ROWS rows, and adds `factors` times these rows to `sum`. */
function changeRows(
  matrix: readonly Float64Array[],
  row: number,
  from: number,
  { left, leftTimes, rightTimes, right }: Change,
  factors: Float64Array,
  sum: Float64Array,
): void {
  const [a, b, c, d] = [matrix[row]!, matrix[row + 1]!, matrix[row + 2]!, matrix[row + 3]!];
  const [leftA, leftB] = [left[row]!, left[row + 1]!];
  const [leftC, leftD] = [left[row + 2]!, left[row + 3]!];
  const [rightA, rightB] = [rightTimes[row]!, rightTimes[row + 1]!];
  const [rightC, rightD] = [rightTimes[row + 2]!, rightTimes[row + 3]!];
  const [factorA, factorB] = [factors[row]!, factors[row + 1]!];
  const [factorC, factorD] = [factors[row + 2]!, factors[row + 3]!];
  for (let at = from; at < sum.length; at++) {
    const [l, r] = [leftTimes[at]!, right[at]!];
    const inA = (a[at]! -= leftA * l + rightA * r);
    const inB = (b[at]! -= leftB * l + rightB * r);
    const inC = (c[at]! -= leftC * l + rightC * r);
    const inD = (d[at]! -= leftD * l + rightD * r);
    sum[at]! += factorA * inA + factorB * inB + (factorC * inC + factorD * inD);
  }
}

/** ROWS rows times a vector, from a column on. */
function multiplyRows(
  matrix: readonly Float64Array[],
  row: number,
  from: number,
  vector: Float64Array,
  products: Float64Array,
): void {
  const [a, b, c, d] = [matrix[row]!, matrix[row + 1]!, matrix[row + 2]!, matrix[row + 3]!];
  let [inA, inB, inC, inD] = [0, 0, 0, 0];
  for (let at = from; at < vector.length; at++) {
    const factor = vector[at]!;
    inA += a[at]! * factor;
    inB += b[at]! * factor;
    inC += c[at]! * factor;
    inD += d[at]! * factor;
  }
  products[row] = inA;
  products[row + 1] = inB;
  products[row + 2] = inC;
  products[row + 3] = inD;
}

function dot(a: Float64Array, b: Float64Array, from: number): number {
  let sum = 0;
  for (let at = from; at < b.length; at++) sum += a[at]! * b[at]!;
  return sum;
}

/** Sweeps in which a value is found: two or three are usual. */
const MAX_SWEEPS = 60;

/**
 * Singular values of a bidiagonal matrix, falling. They are the eigenvalues, but for their signs, of the
 * symmetric tridiagonal matrix with zeros on its diagonal and these entries in turn beside it; those are
 * found by the QL method with implicit shifts (Dubrulle, Martin and Wilkinson 1968).
 */
export async function bidiagonalValues(
  { diagonal, above }: Bidiagonal,
  pause: Pause,
): Promise<Float64Array> {
  const size = 2 * diagonal.length;
  const values = new Float64Array(size);
  const beside = Float64Array.from({ length: size }, (_, at) =>
    at % 2 === 0 ? diagonal[at / 2]! : above[(at - 1) / 2]!,
  );
  const largest = beside.reduce((most, entry) => Math.max(most, Math.abs(entry)), 0);
  const negligible = largest * Number.EPSILON;
  for (let first = 0; first < size; first++) {
    await pause();
    for (let sweeps = 0; ; sweeps++) {
      let last = first;
      while (last < size - 1 && Math.abs(beside[last]!) > negligible) last++;
      if (last === first) break;
      if (sweeps === MAX_SWEEPS)
        throw new Error('singular values: the QL method has not converged');
      sweep(values, beside, first, last);
    }
  }
  // Of each value and its negative, one.
  return values
    .map(Math.abs)
    .sort()
    .filter((_, at) => at % 2 === 1)
    .reverse();
}

/** Brings what stands beside `values[first]` closer to 0, in the block that ends at `last`. */
function sweep(values: Float64Array, beside: Float64Array, first: number, last: number): void {
  const half = (values[first + 1]! - values[first]!) / (2 * beside[first]!);
  const root = Math.sqrt(half * half + 1);
  const shift = values[first]! - beside[first]! / (half + (half < 0 ? -root : root));
  let [sine, cosine, taken] = [1, 1, 0];
  let chased = values[last]! - shift;
  for (let at = last - 1; at >= first; at--) {
    const f = sine * beside[at]!;
    const b = cosine * beside[at]!;
    const length = Math.sqrt(f * f + chased * chased);
    beside[at + 1] = length;
    if (length === 0) {
      values[at + 1]! -= taken;
      beside[last] = 0;
      return;
    }
    sine = f / length;
    cosine = chased / length;
    const value = values[at + 1]! - taken;
    const turned = (values[at]! - value) * sine + 2 * cosine * b;
    taken = sine * turned;
    values[at + 1] = value + taken;
    chased = cosine * turned - b;
  }
  values[first]! -= taken;
  beside[first] = chased;
  beside[last] = 0;
}
