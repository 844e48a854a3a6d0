import type { Path } from '#lib/worker/protocol.ts';

/** `['model']['conv1.weight']`, as Python reaches it; nothing for the whole. */
export function pathText(path: Path): string {
  return path.map((key) => `[${key}]`).join('');
}

/**
 * Reads what `pathText` writes, and a name alone as one key: `epoch`. Null where it is neither. Keys
 * stay texts: whether they are Python's literals, the worker says.
 */
export function parsePath(text: string): Path | null {
  const trimmed = text.trim();
  if (trimmed === '') return [];
  if (!trimmed.startsWith('[')) return /["'\]]/.test(trimmed) ? null : [JSON.stringify(trimmed)];
  const keys: string[] = [];
  let at = 0;
  while (at < trimmed.length) {
    const end = trimmed[at] === '[' ? closing(trimmed, at + 1) : -1;
    const key = trimmed.slice(at + 1, end).trim();
    if (end < 0 || key === '') return null;
    keys.push(key);
    at = end + 1;
  }
  return keys;
}

/** Where the bracket that is open ends; -1 where it does not. */
function closing(text: string, start: number): number {
  let depth = 1;
  let quote = '';
  for (let at = start; at < text.length; at++) {
    const mark = text[at]!;
    if (quote !== '') {
      if (mark === '\\') at++;
      else if (mark === quote) quote = '';
    } else if (mark === '"' || mark === "'") quote = mark;
    else if (mark === '[' || mark === '(') depth++;
    else if ((mark === ']' || mark === ')') && --depth === 0) return at;
  }
  return -1;
}
