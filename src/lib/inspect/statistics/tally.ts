/** Distinct values beyond which none are counted by themselves. */
export const MAX_DISTINCT = 65536;

/** Entries of the hash table: a power of two, at most half of which are in use. */
const SLOTS = 2 ** 18;

/**
 * How often each value of 64 bits occurs, as long as there are not too many: an open hash table with
 * linear probing. A double has both zeros, which are one value, so one more is let in.
 */
export class Tally {
  /** More values than are counted have been seen: the counts are gone. */
  isFull = false;
  size = 0;
  /** Lower and upper halves of the values in the order in which they came. */
  #words = new Uint32Array(2 * (MAX_DISTINCT + 2));
  #counts = new Float64Array(MAX_DISTINCT + 2);
  /** Number of a value from 1 on, or 0. */
  #slots = new Uint32Array(SLOTS);

  /** Takes `length` values, each as its lower and its upper half. */
  add(words: Uint32Array, length: number): void {
    if (this.isFull) return;
    const values = this.#words;
    const slots = this.#slots;
    for (let at = 0; at < length; at++) {
      const low = words[2 * at]!;
      const high = words[2 * at + 1]!;
      let hash = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
      hash ^= hash >>> 15;
      let slot = (Math.imul(hash, 0x2c1b3c6d) >>> 14) & (SLOTS - 1);
      let value: number;
      while ((value = slots[slot]!) !== 0) {
        if (values[2 * value] === low && values[2 * value + 1] === high) break;
        slot = (slot + 1) & (SLOTS - 1);
      }
      if (value === 0) {
        if (this.size > MAX_DISTINCT) {
          this.#giveUp();
          return;
        }
        value = slots[slot] = ++this.size;
        values[2 * value] = low;
        values[2 * value + 1] = high;
      }
      this.#counts[value]!++;
    }
  }

  /** The values, each as its lower and its upper half, and their counts. */
  entries(): { words: Uint32Array<ArrayBuffer>; counts: Float64Array } {
    return {
      words: this.#words.slice(2, 2 * this.size + 2),
      counts: this.#counts.subarray(1, this.size + 1),
    };
  }

  #giveUp(): void {
    this.isFull = true;
    this.#words = new Uint32Array(0);
    this.#counts = new Float64Array(0);
    this.#slots = new Uint32Array(0);
  }
}
