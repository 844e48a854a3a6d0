import { expect, test } from 'vitest';
import { fuzzyMatch } from './fuzzy.ts';

const best = (typed: string, texts: readonly string[]) =>
  texts
    .map((text) => ({ text, score: fuzzyMatch(typed, text)?.score ?? -Infinity }))
    .filter(({ score }) => score > -Infinity)
    .sort((a, b) => b.score - a.score)
    .map(({ text }) => text);

test('finds letters that follow one another, and first letters of words', () => {
  expect(fuzzyMatch('save', 'Go to Save')?.at).toEqual([6, 7, 8, 9]);
  expect(fuzzyMatch('gts', 'Go to Save')?.at).toEqual([0, 3, 6]);
  expect(fuzzyMatch('opfo', 'Open a folder')?.at).toEqual([0, 1, 7, 8]);
});

test('takes words in any order, and refuses what is missing', () => {
  expect(fuzzyMatch('save go', 'Go to Save')).not.toBe(null);
  expect(fuzzyMatch('save x', 'Go to Save')).toBe(null);
  expect(fuzzyMatch('ot', 'Go to Save')).toBe(null);
  expect(fuzzyMatch('  ', 'Go to Save')?.at).toEqual([]);
});

test('prefers the start of a word to its inside, and the shorter text', () => {
  expect(best('run', ['Prune the heads', 'Go to Run', 'Run'])).toEqual([
    'Run',
    'Go to Run',
    'Prune the heads',
  ]);
});
