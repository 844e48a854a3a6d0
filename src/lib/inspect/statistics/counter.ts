/**
 * One pass over numbers: what is counted, summed and compared. Numbers of every dtype are gone through
 * as doubles, which hold all but the largest of 64-bit integers, and are told apart by their bits: the
 * exponent says whether a number is 0, finite, or denormal, and how large it is.
 */
import type { Doubles } from '../numbers.ts';
import { inBlocks } from './blocks.ts';
import { exponentOf, EXPONENTS, LEAST, upperWord } from './exponents.ts';
import { Moments } from './moments.ts';

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

  /** Takes numbers; `onFinite` is shown the finite ones among them, block by block. */
  add(numbers: Doubles, onFinite?: (words: Uint32Array, length: number) => void): void {
    this.count += numbers.length;
    inBlocks(numbers, (block, words, length) => {
      const finite = this.#countBits(words, length) ? this.#sort(block, length) : length;
      this.moments.add(block, finite);
      onFinite?.(words, finite);
    });
  }

  /** Takes a number of at most 16 bits `times` times. */
  addMany(value: number, times: number): void {
    this.count += times;
    this.prefixes[upperWord(value) >>> (32 - this.#bits)]! += times;
    if (value === 0) this.zeros += times;
    if (value - value === 0) this.moments.addMany(value, times);
    else this.#countSpecial(value, times);
  }

  /** Whether there is something other than normal doubles in the block. */
  #countBits(words: Uint32Array, length: number): boolean {
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
  #sort(block: Float64Array, length: number): number {
    let kept = 0;
    for (let at = 0; at < length; at++) {
      const value = block[at]!;
      if (value - value !== 0) {
        this.#countSpecial(value, 1);
        continue;
      }
      if (value === 0) this.zeros++;
      else if (Math.abs(value) < 2 ** -1022) this.#denormals[exponentOf(value) - LEAST]!++;
      block[kept++] = value;
    }
    return kept;
  }

  #countSpecial(value: number, times: number): void {
    if (value > 0) this.positiveInfinities += times;
    else if (value < 0) this.negativeInfinities += times;
    else this.nans += times;
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
