import { expect, test } from 'vitest';
import {
  ariaKeys,
  isSingleKeys,
  KeySequence,
  pressed,
  shownKeys,
  worksInFields,
  type KeyPress,
} from './shortcuts.ts';

const press = (key: string, more: Partial<KeyPress> = {}): KeyPress => ({
  ...{ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false },
  ...more,
});

test('keys are written as shortcuts are', () => {
  expect(pressed(press('k', { ctrlKey: true }), false)).toBe('mod+k');
  expect(pressed(press('k', { metaKey: true }), true)).toBe('mod+k');
  expect(pressed(press('k', { ctrlKey: true }), true)).toBe('');
  expect(pressed(press('Z', { ctrlKey: true, shiftKey: true }), false)).toBe('mod+shift+z');
  expect(pressed(press('?', { shiftKey: true }), false)).toBe('?');
  expect(pressed(press('G'), false)).toBe('g'); // with the caps lock
  expect(pressed(press('G', { shiftKey: true }), false)).toBe('G');
  expect(pressed(press('л', { ctrlKey: true, code: 'KeyK' }), false)).toBe('mod+k');
  expect(pressed(press('Shift', { shiftKey: true }), false)).toBe('');
});

test('one key after the other, within a while', () => {
  const commands = [{ shortcut: 'g c' }, { shortcut: 'g s' }, { shortcut: '?' }, {}];
  const keys = new KeySequence();
  expect(keys.next('g', commands, 0)).toBe('begun');
  expect(keys.next('s', commands, 500)).toBe(commands[1]);
  expect(keys.next('s', commands, 600)).toBe(null);
  expect(keys.next('g', commands, 1000)).toBe('begun');
  expect(keys.next('c', commands, 9000)).toBe(null);
  expect(keys.next('g', commands, 9100)).toBe('begun');
  expect(keys.next('?', commands, 9200)).toBe(commands[2]); // begins anew
  expect(keys.next('g', commands, 9300)).toBe('begun');
  expect(keys.next('g', commands, 9400)).toBe('begun');
  expect(keys.next('c', commands, 9500)).toBe(commands[0]);
});

test('fields keep what they need', () => {
  expect(['mod+k', 'mod+s', 'mod+shift+p'].map(worksInFields)).toEqual([true, true, true]);
  expect(['?', 'g c', 'mod+z', 'mod+shift+z', 'mod+a'].some(worksInFields)).toBe(false);
  expect([isSingleKeys('g c'), isSingleKeys('?'), isSingleKeys('mod+k')]).toEqual([
    true,
    true,
    false,
  ]);
});

test('shown, and told to screen readers', () => {
  expect(shownKeys('mod+shift+k', false)).toEqual([['Ctrl', 'Shift', 'K']]);
  expect(shownKeys('g c', true)).toEqual([['G'], ['C']]);
  expect(ariaKeys('mod+k', false)).toBe('Control+k');
  expect(ariaKeys('g c', false)).toBe(undefined);
});
