import { describe, expect, it } from 'vitest';
import { flag, given, isSame, number, pair, pythonText, shortNumber } from './options.ts';

describe('pythonText', () => {
  it.each([
    [0.001, '0.001'],
    [1e-8, '1e-8'],
    [1 / 3, '0.3333'],
    [10_000, '10000'],
    [null, 'None'],
    [undefined, 'None'],
    [true, 'True'],
    [[0.9, 0.999], '(0.9, 0.999)'],
    ['cos', 'cos'],
  ])('%j is %s', (value, text) => expect(pythonText(value)).toBe(text));
});

it.each([
  [12345678, '1.235e7'],
  [0, '0'],
  [-0.5, '-0.5'],
])('%d is %s', (value, text) => expect(shortNumber(value)).toBe(text));

it('gives only what differs from PyTorch', () => {
  const options = [
    number('lr', 0.001),
    pair('betas', [0.9, 0.999]),
    flag('amsgrad'),
    number('gamma'),
  ];
  const values = { lr: 0.001, betas: [0.9, 0.99], amsgrad: false, gamma: 0.5 };
  expect(given(options, values)).toEqual([
    ['betas', [0.9, 0.99]],
    ['gamma', 0.5],
  ]);
});

it.each([
  [{ a: [1, { b: null }] }, { a: [1, { b: null }] }, true],
  [{ a: 1 }, { a: 1, b: undefined }, false],
  [[], {}, false],
  [null, {}, false],
  [NaN, NaN, true],
])('isSame(%j, %j) is %s', (a, b, same) => expect(isSame(a, b)).toBe(same));
