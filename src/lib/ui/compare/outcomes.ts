import type { PairOutcome, PairRow } from '#lib/worker/protocol.ts';

/**
 * What is known of the pairs of two sides. It outlives a list of rows: where other names make other
 * pairs, or the comparison was cancelled, what was read need not be read again.
 */
export class Outcomes {
  #sides: readonly unknown[] = [];
  /** By the places of both. */
  #known = new Map<string, PairOutcome>();

  /** Forgets all where the sides, by whatever tells them apart, are not those of before. */
  keepFor(...sides: readonly unknown[]): void {
    const before = this.#sides;
    if (sides.length === before.length && sides.every((it, at) => it === before[at])) return;
    this.#sides = sides;
    this.#known.clear();
  }

  set(row: PairRow, outcome: PairOutcome): void {
    this.#known.set(keyOf(row), outcome);
  }

  of(row: PairRow): PairOutcome | undefined {
    return this.#known.get(keyOf(row));
  }

  /** Places of the rows that were compared; what could not be read is tried again. */
  compared(rows: readonly PairRow[]): number[] {
    return rows.flatMap((row, at) => (typeof this.of(row) === 'object' ? at : []));
  }
}

function keyOf({ a, b }: PairRow): string {
  return `${a?.place} ${b?.place}`;
}
