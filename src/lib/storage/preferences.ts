/** What a person has set for this browser. Storage may be switched off: then nothing is kept. */

export function preference(name: string): string | null {
  try {
    return localStorage.getItem(keyOf(name));
  } catch {
    return null;
  }
}

/** Keeps a setting; null forgets it. */
export function keepPreference(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(keyOf(name));
    else localStorage.setItem(keyOf(name), value);
  } catch {
    // It then holds until the page is left.
  }
}

/** `weightroom.theme` is read by public/theme.js, too. */
function keyOf(name: string): string {
  return `weightroom.${name}`;
}
