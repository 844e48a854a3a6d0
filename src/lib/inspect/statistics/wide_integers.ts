import { exponentOf } from './exponents.ts';

/** From here on neighbours of an integer are not doubles. */
const WIDE = 2 ** 53;

/** Integers of 64 bits that a double does not hold, or only just: their extremes, exactly. */
export class WideIntegers {
  #min = 2n ** 64n;
  #max = -(2n ** 64n);
  /** How many are below a power of two that they were rounded up to, by its exponent. */
  readonly roundedUp = new Map<number, number>();

  /** @param doubles what `toNumbers` makes of the integers. */
  add(integers: BigInt64Array | BigUint64Array, doubles: Float64Array): void {
    for (let at = 0; at < doubles.length; at++) {
      const double = doubles[at]!;
      if (double < WIDE && double > -WIDE) continue;
      const integer = integers[at]!;
      if (integer < this.#min) this.#min = integer;
      if (integer > this.#max) this.#max = integer;
      const size = BigInt(Math.abs(double));
      if ((integer < 0n ? -integer : integer) < size && (size & (size - 1n)) === 0n) {
        const exponent = exponentOf(double);
        this.roundedUp.set(exponent, (this.roundedUp.get(exponent) ?? 0) + 1);
      }
    }
  }

  /** The least of all integers, whose least double this is; a bigint where it is no safe number. */
  min(least: number): number | bigint {
    return least < WIDE && least > -WIDE ? least : this.#min;
  }

  max(largest: number): number | bigint {
    return largest < WIDE && largest > -WIDE ? largest : this.#max;
  }
}
