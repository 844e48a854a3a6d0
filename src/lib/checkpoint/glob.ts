/** Patterns over state_dict keys, as Python's fnmatch reads them: `*`, `?`, `[abc]`, `[!abc]`. */

/** Whether the whole key fits the glob. `*` goes over dots, so `encoder.*` is all of the encoder. */
export function matchesGlob(key: string, glob: string): boolean {
  return globTest(glob)(key);
}

/** `matchesGlob` for many keys. Throws a SyntaxError for a set such as `[z-a]`. */
export function globTest(glob: string): (key: string) => boolean {
  // A name needs no regular expression, and may be too long for one.
  if (!/[*?[]/.test(glob)) return (key) => key === glob;
  const expression = toRegExp(glob);
  return (key) => expression.test(key);
}

/** Whether the globs take the key, where `!` before one takes back; the last that fits decides. */
export function matchesGlobs(key: string, globs: readonly string[]): boolean {
  const last = globs.findLast((glob) => matchesGlob(key, glob.replace(/^!/, '')));
  return last !== undefined && !last.startsWith('!');
}

function toRegExp(glob: string): RegExp {
  return new RegExp(`^${globPattern(glob)}$`, 'su');
}

/** The glob as a part of a regular expression with the flags `s` and `u`. */
export function globPattern(glob: string): string {
  const parts = glob.match(/\*+|\?|\[!?\]?[^\]]*\]|[^]/gu) ?? [];
  return parts.map(partOf).join('');
}

function partOf(part: string): string {
  if (part.startsWith('*')) return '.*';
  if (part === '?') return '.';
  if (part.length < 3) return escaped(part);
  const negated = part.startsWith('[!');
  const set = part.slice(negated ? 2 : 1, -1).replace(/[\\\]^[]/g, '\\$&');
  return `[${negated ? '^' : ''}${set}]`;
}

/** A regular expression, as text, that fits just this text. */
export const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
