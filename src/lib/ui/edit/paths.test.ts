import { expect, test } from 'vitest';
import { parsePath, pathText } from './paths.ts';

test.each<[string, string[] | null]>([
  ['', []],
  ['  ', []],
  ['epoch', ['"epoch"']],
  ['conv1.weight', ['"conv1.weight"']],
  ["['model']['conv1.weight']", ["'model'", "'conv1.weight'"]],
  ["['state'][0]", ["'state'", '0']],
  ["[('a', 1)]", ["('a', 1)"]],
  ["['a]b'][\"it's\"]", ["'a]b'", '"it\'s"']],
  [String.raw`['a\']']`, [String.raw`'a\']'`]],
  ["['model'", null],
  ["['model']x", null],
  ['[]', null],
  ["it's", null],
])('%s', (text, path) => {
  expect(parsePath(text)).toEqual(path);
  if (path && text.startsWith('[')) expect(pathText(path)).toBe(text);
});
