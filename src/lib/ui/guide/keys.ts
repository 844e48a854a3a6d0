/** Keys of lists, trees and tables, which are no commands: they move within what has the focus. */
export const keysInside: readonly (readonly [keys: string, does: string])[] = [
  ['↑ ↓', 'the row above or below'],
  ['Page Up, Page Down, Home, End', 'further, or to an end'],
  ['→ ←', 'open a row of a tree or go into it; close it or go out'],
  ['Enter, Space', 'open or close a row'],
  ['letters', 'the next row of a tree that begins with them'],
  ['Tab, Shift Tab', 'the next or last thing on the page'],
  ['Esc', 'close a dialog'],
];
