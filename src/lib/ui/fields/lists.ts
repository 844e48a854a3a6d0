/** Lists that are typed in one line, between spaces, commas, semicolons or brackets. */

const parts = (text: string) => text.split(/[\s,;[\]()]+/).filter(Boolean);

/** The words of a list; null where there are none. Names may hold brackets: they do not part. */
export function parseList(text: string): string[] | null {
  const list = text.split(/[\s,]+/).filter(Boolean);
  return list.length > 0 ? list : null;
}

/** The numbers of `0.9, 0.999`; null where there is something else. */
export function parseNumbers(text: string): number[] | null {
  const numbers = parts(text).map(Number);
  return numbers.every(Number.isFinite) ? numbers : null;
}

/** The integers of `30, 60`; null where there is something else. */
export function parseIntegers(text: string): number[] | null {
  return parts(text).every((part) => /^\d{1,12}$/.test(part)) ? parts(text).map(Number) : null;
}
