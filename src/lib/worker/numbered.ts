/** Values that repeat as numbers; `firsts` says where each value is first. */
export function numbered<T>(list: readonly T[]): {
  values: readonly T[];
  numbers: readonly number[];
  firsts: readonly number[];
} {
  const known = new Map<T, number>();
  const firsts: number[] = [];
  const numbers = list.map((value, at) => {
    const number = known.get(value) ?? known.size;
    if (number === known.size) {
      known.set(value, number);
      firsts.push(at);
    }
    return number;
  });
  return { values: [...known.keys()], numbers, firsts };
}
