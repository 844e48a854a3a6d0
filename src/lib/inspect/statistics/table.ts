/** Finite numbers in rising order, no two of them equal, and how often each occurs. */
export interface Table {
  readonly values: Float64Array;
  readonly counts: Float64Array;
}

/** A table of numbers that come in any order and more than once; those that occur never are left out. */
export function tableOf(values: ArrayLike<number>, counts: ArrayLike<number>): Table {
  const order = Uint32Array.from({ length: values.length }, (_, at) => at)
    .filter((at) => counts[at]! > 0 && Number.isFinite(values[at]))
    .sort((a, b) => values[a]! - values[b]!);
  const table = { values: new Float64Array(order.length), counts: new Float64Array(order.length) };
  let size = 0;
  for (const at of order) {
    if (size === 0 || table.values[size - 1] !== values[at]) table.values[size++] = values[at]! + 0;
    table.counts[size - 1]! += counts[at]!;
  }
  return { values: table.values.subarray(0, size), counts: table.counts.subarray(0, size) };
}

/** The numbers at these places of the whole, sorted; the places rise. */
export function valuesAt({ values, counts }: Table, ranks: readonly number[]): number[] {
  let [at, before] = [0, 0];
  return ranks.map((rank) => {
    while (rank >= before + counts[at]!) before += counts[at++]!;
    return values[at]!;
  });
}
