/** The order of rows by one column: those without a value come last, equal ones stay as they were. */

export interface Sort {
  /** Null for the order of the tree. */
  readonly column: string | null;
  readonly descending: boolean;
}

/** A value for each row; NaN where there is none. */
export function sortRows(values: ArrayLike<number>, descending: boolean): Uint32Array {
  const known: number[] = [];
  const unknown: number[] = [];
  for (let row = 0; row < values.length; row++) {
    (Number.isNaN(values[row]) ? unknown : known).push(row);
  }
  const sign = descending ? -1 : 1;
  const order = Uint32Array.from(known).sort((a, b) => {
    const [first, second] = [values[a]!, values[b]!];
    return first === second ? a - b : first < second ? -sign : sign;
  });
  const all = new Uint32Array(values.length);
  all.set(order);
  all.set(unknown, order.length);
  return all;
}

/** Ranks of texts in which numbers count as such: `layer.2` before `layer.10`. */
export function ranks(texts: readonly string[]): Float64Array {
  const keys = texts.map((text) => text.replace(/\d+/g, (digits) => digits.padStart(9, '0')));
  const order = Uint32Array.from(keys.keys()).sort((a, b) =>
    keys[a] === keys[b] ? a - b : keys[a]! < keys[b]! ? -1 : 1,
  );
  const ranked = new Float64Array(texts.length);
  let rank = 0;
  order.forEach((row, at) => {
    if (at > 0 && keys[row] !== keys[order[at - 1]!]) rank = at;
    ranked[row] = rank;
  });
  return ranked;
}

/** What a click on a column leads to: up, then down, then the order of the tree again. */
export function nextSort(sort: Sort, column: string, firstDescending: boolean): Sort {
  if (sort.column !== column) return { column, descending: firstDescending };
  if (sort.descending === firstDescending) return { column, descending: !firstDescending };
  return { column: null, descending: false };
}
