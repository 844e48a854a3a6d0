/**
 * Shortcuts as commands write them: `mod+k` (Ctrl, on a Mac Command), `g c` (one key after the
 * other), `?`. A key that is pressed has the same writing, so that both can be compared.
 */

export interface KeyPress {
  readonly key: string;
  readonly code?: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
}

/** A key as shortcuts write it; empty where it is none of a shortcut. */
export function pressed(
  { key, code = '', ctrlKey, metaKey, altKey, shiftKey }: KeyPress,
  isMac: boolean,
): string {
  if (/^(Control|Meta|Alt|AltGraph|Shift|Dead|Process)$/.test(key)) return '';
  const [mod, other] = isMac ? [metaKey, ctrlKey] : [ctrlKey, metaKey];
  if (other) return '';
  if (!mod && !altKey) return shiftKey ? key : key.toLowerCase();
  // Other alphabets, and what Alt makes of a key on a Mac: where the key lies tells its letter.
  const letter = /^Key([A-Z])$/.exec(code)?.[1];
  const name = (/^[\x21-\x7e]$/.test(key) || !letter ? key : letter).toLowerCase();
  return [mod && 'mod', altKey && 'alt', shiftKey && 'shift', name].filter(Boolean).join('+');
}

/** Keys that a field needs itself, with Ctrl or Command: undo, redo, the clipboard, select all. */
const edits = new Set(['z', 'y', 'x', 'c', 'v', 'a', 'shift+z', 'shift+v']);

/** Whether a shortcut types or edits nothing, so that it may work while a field has the focus. */
export function worksInFields(shortcut: string): boolean {
  const [first = ''] = shortcut.split(' ');
  return first.startsWith('mod+') && !edits.has(first.slice(4));
}

/** Whether it is of single keys, which not everybody can use: speech input presses many. */
export function isSingleKeys(shortcut: string): boolean {
  return !/(^|\s)(mod|alt)\+/.test(shortcut);
}

/** The keys to show, one list for each step: `[['Ctrl', 'K']]`, `[['G'], ['C']]`. */
export function shownKeys(shortcut: string, isMac: boolean): string[][] {
  const names: Record<string, string> = {
    mod: isMac ? '⌘' : 'Ctrl',
    alt: isMac ? '⌥' : 'Alt',
    shift: isMac ? '⇧' : 'Shift',
    enter: 'Enter',
    escape: 'Esc',
    ' ': 'Space',
  };
  const name = (key: string) => names[key] ?? (key.length === 1 ? key.toUpperCase() : key);
  return shortcut.split(' ').map((step) => step.split('+').map(name));
}

/** As `aria-keyshortcuts` writes it; undefined for steps, which it cannot say. */
export function ariaKeys(shortcut: string, isMac: boolean): string | undefined {
  if (shortcut.includes(' ')) return undefined;
  return shortcut.replace('mod', isMac ? 'Meta' : 'Control');
}

/** Milliseconds that the second key of `g c` may take. */
const PATIENCE = 1500;

/** Reads keys one after the other. */
export class KeySequence {
  #keys: string[] = [];
  #time = -Infinity;

  /**
   * What a key leads to: a shortcut of the given ones, `begun` where it is the first of several
   * keys, or null.
   */
  next<T extends { readonly shortcut?: string }>(
    key: string,
    commands: readonly T[],
    time: number,
  ): T | 'begun' | null {
    const before = time - this.#time <= PATIENCE ? this.#keys : [];
    this.#time = time;
    for (const keys of before.length > 0 ? [[...before, key], [key]] : [[key]]) {
      const typed = keys.join(' ');
      const found = commands.find(({ shortcut }) => shortcut === typed);
      this.#keys = found ? [] : keys;
      if (found) return found;
      if (commands.some(({ shortcut }) => shortcut?.startsWith(`${typed} `))) return 'begun';
    }
    this.#keys = [];
    return null;
  }
}
