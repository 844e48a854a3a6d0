/** Orthonormal vectors on the host, in doubles. */

/**
 * Of a matrix in row-major order the Q of its QR decomposition whose R has a positive diagonal; of one
 * that is wider than it is high, the transpose of its transpose's Q. Gram-Schmidt, done twice.
 */
export function orthonormal(values: ArrayLike<number>, rows: number): Float64Array {
  const columns = values.length / rows;
  const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
  // Elements of one vector are `step` apart, the vectors `apart`.
  const [step, apart] = rows >= columns ? [columns, 1] : [1, columns];
  const result = Float64Array.from(values);
  const subtract = (from: number, along: number): void => {
    let product = 0;
    for (let at = 0; at < length; at++) {
      product += result[from * apart + at * step]! * result[along * apart + at * step]!;
    }
    for (let at = 0; at < length; at++) {
      result[from * apart + at * step]! -= product * result[along * apart + at * step]!;
    }
  };
  for (let vector = 0; vector < count; vector++) {
    for (let pass = 0; pass < 2; pass++) {
      for (let other = 0; other < vector; other++) subtract(vector, other);
    }
    let square = 0;
    for (let at = 0; at < length; at++) square += result[vector * apart + at * step]! ** 2;
    for (let at = 0; at < length; at++) {
      result[vector * apart + at * step]! /= Math.sqrt(square);
    }
  }
  return result;
}
