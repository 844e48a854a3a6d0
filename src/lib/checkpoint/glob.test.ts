import { expect, it } from 'vitest';
import { matchesGlob, matchesGlobs } from './glob.ts';

it.each([
  ['encoder.0.weight', 'encoder.*', true],
  ['encoder.0.weight', '*.weight', true],
  ['encoder.0.weight', 'encoder', false],
  ['encoder.10.bias', 'encoder.?.bias', false],
  ['layer1.bias', 'layer[12].bias', true],
  ['layer3.bias', 'layer[!12].bias', true],
  ['layer1.bias', 'layer[0-2].*', true],
  ['a[0].b', 'a[[]0].b', true],
  ['a]b', 'a[]]b', true],
  ['a^b', 'a[!-]b', true],
  ['a+b(c)$', 'a+b(c)$', true],
  ['axb', 'a.b', false],
  ['a[b', 'a[b', true],
  ['x.𝛽', 'x.?', true],
  ['aaaaaaaaaaaaaaaaaaaaaaaaaaaaab', '*a*a*a*c', false],
])('%s fits %s: %s', (key, glob, fits) => {
  expect(matchesGlob(key, glob)).toBe(fits);
});

it('lets the last glob that fits decide', () => {
  const globs = ['*', '!head.*', 'head.bias'];
  expect(matchesGlobs('body.weight', globs)).toBe(true);
  expect(matchesGlobs('head.weight', globs)).toBe(false);
  expect(matchesGlobs('head.bias', globs)).toBe(true);
  expect(matchesGlobs('head.bias', [])).toBe(false);
});
