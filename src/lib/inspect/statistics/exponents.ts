/** Doubles taken apart into their bits. */

/** Exponent of the least double; `exponents` are counted from it on. */
export const LEAST = -1074;
/** Exponents of doubles, from that of the least to that of the largest. */
export const EXPONENTS = 1024 - LEAST;

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/** Floor of the logarithm to base 2 of the magnitude of a finite double other than 0. */
export function exponentOf(value: number): number {
  double[0] = value;
  const [low, high] = [words[0]!, words[1]! & 0x7fffffff];
  if (high >= 2 ** 20) return (high >>> 20) - 1023;
  return LEAST + (high ? 63 - Math.clz32(high) : 31 - Math.clz32(low));
}

/** Sign, exponent and the first 20 bits of the fraction. */
export function upperWord(value: number): number {
  double[0] = value;
  return words[1]!;
}
