/**
 * How two tensors of one shape differ, in one pass over blocks of their elements. Sums are doubles.
 *
 * An element counts as equal where both are the same number, or both NaN. Where one of the two is NaN
 * or infinite and the other is not the same, it has changed, but no distance can be told: such places
 * are counted by themselves, and every sum and maximum is over the places where both are finite.
 */
import { dtypes, itemsize, type Dtype } from '#lib/checkpoint/dtype.ts';
import { arithmeticOf, operandFor, sameBytes, type Operand } from './arithmetic.ts';
import { Sums, tallies, tallySame } from './sums.ts';

export interface Difference {
  readonly count: number;
  /** What is counted: `bytes` are packed elements, of which only equality is known. */
  readonly of: 'elements' | 'integers' | 'bytes';
  /** Of one dtype and equal bit for bit; 0 and -0 are equal numbers of other bits. */
  readonly identical: boolean;
  /** Elements that are not equal. */
  readonly changed: number;
  /** Of these, where one or both are NaN or infinite. */
  readonly unmeasured: number;
  readonly nans: readonly [a: number, b: number];
  readonly infinities: readonly [a: number, b: number];
  /** Null where nothing can be measured: no elements, none that are finite on both sides, or bytes. */
  readonly measured: Measured | null;
}

/** Of the places where both are finite; Δ = b − a, of complex numbers its modulus. */
export interface Measured {
  /** Largest |Δ|, and the flat index of its first place. */
  readonly max: number;
  readonly at: number;
  readonly mean: number;
  /** Largest |Δ| over the largest |a|; infinite where a is all zero and b is not. */
  readonly relative: number;
  /** Square roots of the sums of squares: of Δ, a and b. */
  readonly norm: number;
  readonly norms: readonly [a: number, b: number];
  /** a · b over the norms; null where one of them is 0. */
  readonly cosine: number | null;
}

/** Elements that are looked at together: their arrays stay in the processor's cache. */
const BLOCK = 2 ** 15;

/** Takes the elements of two tensors block by block, and says at the end how they differ. */
export class Comparison {
  readonly #sizes: readonly [number, number];
  readonly #numbers: readonly [(bytes: Uint8Array) => Operand, (bytes: Uint8Array) => Operand];
  readonly #of: Difference['of'];
  readonly #tally: (sums: Sums, a: Operand, b: Operand) => void;
  readonly #sums = new Sums();
  readonly #isOneDtype: boolean;
  readonly #isReal: boolean;
  #isIdentical: boolean;

  /** Null where the two dtypes have no numbers in common. */
  static of(a: Dtype, b: Dtype): Comparison | null {
    return arithmeticOf(a, b) === null ? null : new Comparison(a, b);
  }

  private constructor(a: Dtype, b: Dtype) {
    const arithmetic = arithmeticOf(a, b)!;
    this.#sizes = [itemsize(a), itemsize(b)];
    this.#numbers = [operandFor(a, arithmetic), operandFor(b, arithmetic)];
    this.#isOneDtype = this.#isIdentical = a === b;
    this.#isReal = arithmetic === 'float32' || arithmetic === 'float64';
    const isStored = [a, b].some((dtype) => dtypes[dtype].kind === 'quantized');
    this.#of = arithmetic === 'bytes' ? 'bytes' : isStored ? 'integers' : 'elements';
    this.#tally = tallies[arithmetic](a, b);
  }

  /** The next elements, as many of both. */
  add(a: Uint8Array, b: Uint8Array): void {
    const [sizeA, sizeB] = this.#sizes;
    const [numbersA, numbersB] = this.#numbers;
    for (let at = 0; at * sizeA < a.length; at += BLOCK) {
      const left = a.subarray(at * sizeA, (at + BLOCK) * sizeA);
      const right = b.subarray(at * sizeB, (at + BLOCK) * sizeB);
      const isSame = this.#isOneDtype && sameBytes(left, right);
      this.#isIdentical &&= isSame;
      if (isSame && this.#isReal) tallySame(this.#sums, numbersA(left));
      else this.#tally(this.#sums, numbersA(left), numbersB(right));
    }
  }

  result(): Difference {
    const { count, changed, unmeasured, nans, infinities } = this.#sums;
    return {
      ...{ count, of: this.#of, identical: this.#isIdentical, changed, unmeasured },
      nans: [...nans],
      infinities: [...infinities],
      measured: measuredOf(this.#sums),
    };
  }
}

function measuredOf(sums: Sums): Measured | null {
  if (sums.finite === 0) return null;
  const { max, at, largest, dot } = sums;
  const norms = [Math.sqrt(sums.squaresA), Math.sqrt(sums.squaresB)] as const;
  const product = norms[0] * norms[1];
  return {
    ...{ max, at, norms },
    mean: sums.total / sums.finite,
    relative: max === 0 ? 0 : max / largest,
    norm: Math.sqrt(sums.squares),
    cosine: product > 0 ? cosineOf(max, dot / product) : null,
  };
}

/** Rounding must not take it beyond 1, nor away from 1 where nothing has changed. */
function cosineOf(max: number, cosine: number): number {
  return max === 0 ? 1 : Math.min(Math.max(cosine, -1), 1);
}
