/**
 * Numbers at given places of all finite ones, sorted, without sorting: the bits of a double, but for
 * the sign, rise with it. So the doubles are counted by their upper bits; then, in another pass, those
 * that share the upper bits of a wanted one by the bits after that; and so on to the last. Memory is
 * that of the counts, however many numbers there are.
 */

/** How many bits are told apart in each pass. */
const DIGITS = [18, 17, 17, 12] as const;
/** Bits that the first pass tells apart: its counts are given. */
export const FIRST_DIGIT = DIGITS[0];

/** How often numbers are gone through to know so many bits of some of them. */
export function passesOf(bits: number): number {
  return 1 + DIGITS.findIndex((_, digit) => known(digit + 1) >= bits);
}

interface Target {
  /** Place among the doubles that share the bits known so far, in the order of their bits. */
  rank: number;
  /** Number of the group of doubles that do. */
  group: number;
  readonly digits: number[];
}

const scratch = new DataView(new ArrayBuffer(8));

export class Selection {
  readonly #targets: Target[];
  readonly #bits: number;
  /** For each digit that is known, the group that a group and a digit lead to; -1 for none. */
  readonly #ways: Int16Array[] = [];
  #counts = new Float64Array(0);

  /**
   * @param prefixes how many doubles begin with each FIRST_DIGIT bits.
   * @param bits of a double that may be other than 0.
   */
  constructor(ranks: readonly number[], prefixes: Float64Array, bits: number) {
    this.#bits = bits;
    this.#targets = ranks.map((rank) => ({ ...firstDigit(rank, prefixes), group: 0 }));
    this.#regroup(0);
  }

  /** Whether another pass over all numbers is needed. */
  get isOpen(): boolean {
    return known(this.#ways.length) < this.#bits;
  }

  /** Takes numbers of another pass. */
  add(words: Uint32Array, length: number): void {
    const level = this.#ways.length;
    const counts = this.#counts;
    const [first, second, third] = this.#ways as [Int16Array, Int16Array?, Int16Array?];
    for (let at = 0; at < length; at++) {
      const high = words[2 * at + 1]!;
      let group = first[high >>> 14]!;
      if (group < 0) continue;
      const low = words[2 * at]!;
      const digit = ((high & 0x3fff) << 3) | (low >>> 29);
      if (level === 1) {
        counts[(group << 17) | digit]!++;
        continue;
      }
      group = second![(group << 17) | digit]!;
      if (group < 0) continue;
      const next = (low >>> 12) & 0x1ffff;
      if (level === 2) {
        counts[(group << 17) | next]!++;
        continue;
      }
      group = third![(group << 17) | next]!;
      if (group >= 0) counts[(group << 12) | (low & 0xfff)]!++;
    }
  }

  /** Ends a pass. */
  next(): void {
    const level = this.#ways.length;
    const size = 2 ** DIGITS[level]!;
    for (const target of this.#targets) {
      const counts = this.#counts.subarray(target.group * size, (target.group + 1) * size);
      let digit = 0;
      while (target.rank >= counts[digit]!) target.rank -= counts[digit++]!;
      target.digits.push(digit);
    }
    this.#regroup(level);
  }

  /** The numbers, in the order of their places. */
  values(): number[] {
    return this.#targets.map(({ digits: [first, second = 0, third = 0, fourth = 0] }) => {
      scratch.setUint32(0, ((first! << 14) | (second >>> 3)) >>> 0);
      scratch.setUint32(4, ((second << 29) | (third << 12) | fourth) >>> 0);
      return scratch.getFloat64(0) + 0; // -0 is 0
    });
  }

  /** Gives the targets their groups by the digit at a level. */
  #regroup(level: number): void {
    const size = 2 ** DIGITS[level]!;
    const groups = 1 + Math.max(0, ...this.#targets.map(({ group }) => group));
    const ways = new Int16Array(groups * size).fill(-1);
    let count = 0;
    for (const target of this.#targets) {
      const way = target.group * size + target.digits[level]!;
      if (ways[way] === -1) ways[way] = count++;
      target.group = ways[way]!;
    }
    this.#ways.push(ways);
    this.#counts = new Float64Array(this.isOpen ? count * 2 ** DIGITS[level + 1]! : 0);
  }
}

/** Bits that so many digits have. */
function known(digits: number): number {
  return DIGITS.slice(0, digits).reduce((sum, bits) => sum + bits, 0);
}

/** The first digit of the finite double at a place; among negative ones the bits fall. */
function firstDigit(rank: number, prefixes: Float64Array): { rank: number; digits: number[] } {
  const sign = prefixes.length / 2;
  const infinite = sign - sign / 2 ** 11;
  for (let digit = sign + infinite - 1; digit >= sign; digit--) {
    const count = prefixes[digit]!;
    if (rank < count) return { rank: count - 1 - rank, digits: [digit] };
    rank -= count;
  }
  for (let digit = 0; digit < infinite; digit++) {
    const count = prefixes[digit]!;
    if (rank < count) return { rank, digits: [digit] };
    rank -= count;
  }
  throw new RangeError('selection: a place lies behind the last number');
}
