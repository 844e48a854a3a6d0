import { expect, it } from 'vitest';
import { byCodePoints } from './python_order.ts';

it('sorts as Python sorts strings', () => {
  const words = [
    '\u{1f600}',
    '\uffff',
    'ab',
    'z',
    '\ue000',
    'b',
    'ä',
    'a',
    '\ud7ff',
    'a\0',
    'B',
    '',
  ];
  const sorted = [
    '',
    'B',
    'a',
    'a\0',
    'ab',
    'b',
    'z',
    'ä',
    '\ud7ff',
    '\ue000',
    '\uffff',
    '\u{1f600}',
  ];
  expect(words.sort(byCodePoints)).toEqual(sorted);
});
