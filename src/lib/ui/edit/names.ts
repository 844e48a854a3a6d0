/** The old and new names of a table that is typed, a pair in each line. */

export type NamePair = readonly [from: string, to: string];

/** What may stand between two names; the first of them that a line has parts it. */
const separators = [/\s*(?:->|→)\s*/u, /\t+/u, /\s*,\s*/u, /\s+/u];

/** Reads a pair a line; null where a line is none. Empty lines are skipped. */
export function parseNames(text: string): readonly NamePair[] | null {
  const pairs = text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [pairOf(line)]));
  return pairs.every((pair) => pair !== null) ? pairs : null;
}

/** What `parseNames` reads: with a space between the names, or else an arrow. */
export function namesText(names: readonly NamePair[]): string {
  return names
    .map(([from, to]) => {
      const line = `${from} ${to}`;
      const read = pairOf(line);
      return read && read[0] === from && read[1] === to ? line : `${from} → ${to}`;
    })
    .join('\n');
}

function pairOf(line: string): NamePair | null {
  const separator = separators.find((known) => known.test(line.trim()));
  const [from, to, ...more] = separator ? line.trim().split(separator) : [];
  return from && to && more.length === 0 ? [from, to] : null;
}
