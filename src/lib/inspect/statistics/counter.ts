/**
 * One pass over numbers: what is counted, summed and compared. Numbers of every dtype are gone through
 * as doubles, which hold all but the largest of 64-bit integers, and are told apart by their bits: the
 * exponent says whether a number is 0, finite, or denormal, and how large it is.
 */
import type { Numbers } from '../numbers.ts';
import { exponentOf, EXPONENTS, LEAST } from './exponents.ts';
import { BLOCK, Moments } from './moments.ts';

/** Filled and used up between two awaits. */
const block = new Float64Array(BLOCK);
const words = new Uint32Array(block.buffer);

export class Counter {
  count = 0;
  zeros = 0;
  nans = 0;
  positiveInfinities = 0;
  negativeInfinities = 0;
  /** Of the finite numbers. */
  readonly moments = new Moments();
  /** How many doubles begin with these bits, among them those that are not finite. */
  readonly prefixes: Float64Array<ArrayBuffer>;
  readonly #bits: number;
  /** Doubles that are denormal, by their exponents. */
  readonly #denormals = new Float64Array(EXPONENTS);

  /** @param bits of a double that `prefixes` tells apart: at least sign and exponent, which are 12. */
  constructor(bits = 12) {
    this.#bits = bits;
    this.prefixes = new Float64Array(2 ** bits);
  }

  /** Takes numbers; `onFinite` is shown the finite ones, block by block. */
  add(numbers: Numbers, onFinite?: (block: Float64Array, length: number) => void): void {
    this.count += numbers.length;
    for (let at = 0; at < numbers.length; at += BLOCK) {
      const part = numbers.subarray(at, at + BLOCK);
      block.set(part);
      const length = this.#countBits(part.length) ? this.#sort(part.length) : part.length;
      this.moments.add(block, length);
      onFinite?.(block, length);
    }
  }

  /** Whether there is something other than normal doubles in the block. */
  #countBits(length: number): boolean {
    const { prefixes } = this;
    const shift = 32 - this.#bits;
    let special = 0;
    for (let at = 1; at < 2 * length; at += 2) {
      const word = words[at]!;
      prefixes[word >>> shift]!++;
      // An exponent of all zeros or all ones: one more leaves its upper ten bits 0.
      if (((word + 0x100000) & 0x7fe00000) === 0) special++;
    }
    return special > 0;
  }

  /** Counts zeros, and takes out what is not finite. Gives the length of the rest. */
  #sort(length: number): number {
    let kept = 0;
    for (let at = 0; at < length; at++) {
      const value = block[at]!;
      if (value - value !== 0) {
        if (value > 0) this.positiveInfinities++;
        else if (value < 0) this.negativeInfinities++;
        else this.nans++;
        continue;
      }
      if (value === 0) this.zeros++;
      else if (Math.abs(value) < 2 ** -1022) this.#denormals[exponentOf(value) - LEAST]!++;
      block[kept++] = value;
    }
    return kept;
  }

  /** How many finite numbers other than 0 have each exponent, from LEAST on. */
  exponents(): Float64Array {
    const exponents = this.#denormals.slice();
    const fractions = this.#bits - 12;
    for (let prefix = 0; prefix < this.prefixes.length; prefix++) {
      const exponent = (prefix >>> fractions) & 0x7ff;
      if (exponent === 0 || exponent === 0x7ff) continue;
      exponents[exponent - 1023 - LEAST]! += this.prefixes[prefix]!;
    }
    return exponents;
  }
}
