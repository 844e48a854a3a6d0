import { expect, test } from 'vitest';
import { namesText, parseNames } from './names.ts';

test('names are read a pair a line, with a space, a comma, a tab or an arrow between them', () => {
  expect(parseNames('a b\n\n c,  d \ne\tf\ng -> h\ni→j')).toEqual([
    ...['ab', 'cd', 'ef', 'gh', 'ij'].map((pair) => [...pair]),
  ]);
  expect(parseNames('')).toEqual([]);
  expect(parseNames('with a space -> and, a comma')).toEqual([['with a space', 'and, a comma']]);
});

test('a line that is no pair is not left out, nor is a third name', () => {
  for (const text of ['a b\nc', 'a b c', 'a ->', '→ b', 'a, b, c']) {
    expect(parseNames(text), text).toBeNull();
  }
});

test('what is written is read as the same', () => {
  const names = [
    ['a', 'b'],
    ['with a space', 'c'],
    ['d', 'e,f'],
  ] as const;
  expect(namesText(names)).toBe('a b\nwith a space → c\nd → e,f');
  expect(parseNames(namesText(names))).toEqual(names);
});
