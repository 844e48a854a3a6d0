import { expect, it } from 'vitest';
import { parseIntegers, parseList, parseNumbers } from './lists.ts';

it.each([
  ['30, 60', [30, 60]],
  ['[30 60]', [30, 60]],
  ['', []],
  ['30, x', null],
  ['1.5', null],
])('%j holds the integers %j', (text, integers) => expect(parseIntegers(text)).toEqual(integers));

it.each([
  ['(0.9, 1e-3)', [0.9, 0.001]],
  ['-1;2', [-1, 2]],
  ['', []],
  ['1, inf', null],
  ['1, x', null],
])('%j holds the numbers %j', (text, numbers) => expect(parseNumbers(text)).toEqual(numbers));

it.each([
  ['*.bias, !head.*', ['*.bias', '!head.*']],
  ['fc[12].weight', ['fc[12].weight']],
  [' , ', null],
])('%j lists %j', (text, list) => expect(parseList(text)).toEqual(list));
