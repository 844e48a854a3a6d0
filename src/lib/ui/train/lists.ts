/** The words of a list that is typed in one line, between spaces or commas; none is no list. */
export function parseList(text: string): string[] | null {
  const parts = text.split(/[\s,]+/).filter(Boolean);
  return parts.length > 0 ? parts : null;
}
