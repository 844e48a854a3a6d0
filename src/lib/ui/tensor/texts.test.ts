import { expect, test } from 'vitest';
import { cellWidth, isOdd, isZero, oddities, shortNumber } from './texts.ts';

test('columns are wide enough for the longest values', () => {
  const longest = {
    float32: '-1.17549435e-38',
    float64: '-2.2250738585072014e-308',
    float16: '-0.00012207',
    bfloat16: '-1.175e-38',
    int64: '-9223372036854775808',
    int32: '-2147483648',
    complex64: '(-1.1754944e-38-1.1754944e-38j)',
    bool: 'False',
    float8_e4m3fn: '-0.001953125',
    float8_e4m3fnuz: '-0.0009765625',
    float8_e5m2: '-0.0001068115234375',
    float8_e5m2fnuz: '-2.288818359375e-05',
    float8_e8m0fnu: '1.1754943508222875e-38',
  } as const;
  for (const [dtype, text] of Object.entries(longest)) {
    expect(cellWidth(dtype as keyof typeof longest)).toBeGreaterThanOrEqual(text.length + 2);
  }
});

test('what is no number stands out, zeros do not', () => {
  expect(['nan', '-inf', '(nan+0.0j)', '1.0', 'False'].map(isOdd)).toEqual([
    ...[true, true, true, false, false],
  ]);
  expect(['0', '-0.0', '(0.0-0.0j)', '0.01', '(0.0+1.0j)', '0x00'].map(isZero)).toEqual([
    ...[true, true, true, false, false, false],
  ]);
});

test('numbers are short, and whole ones in full', () => {
  expect(shortNumber(Math.fround(0.1))).toBe('0.1');
  expect(shortNumber(2n ** 62n + 1n)).toBe('4,611,686,018,427,387,905');
  expect(shortNumber(-1234567)).toBe('-1,234,567');
  expect(shortNumber(-(2 ** 60) / 3)).toBe('-3.843072e+17');
  expect(shortNumber(null)).toBe('–');
});

test('odd are NaN, infinities, denormals, and tensors of one value', () => {
  const plain = {
    ...{ of: 'elements' as const, count: 4, zeros: 0, nans: 0, denormals: 0 },
    ...{ positiveInfinities: 0, negativeInfinities: 0, min: 1, max: 2 },
    ...{ mean: 1.5, std: 0.5, norm: 3, magnitudes: null },
  };
  const texts = (changes: Partial<typeof plain>) =>
    oddities({ ...plain, ...changes }).map(({ text }) => text);
  expect(texts({})).toEqual([]);
  expect(texts({ nans: 1, positiveInfinities: 1, negativeInfinities: 1, denormals: 1 })).toEqual([
    ...['1 NaN', '2 infinite', '1 denormal'],
  ]);
  expect(texts({ zeros: 4, min: 0, max: 0 })).toEqual(['all zero']);
  expect(texts({ max: 1 })).toEqual(['all equal']);
  expect(texts({ max: 1, count: 1 })).toEqual([]);
});
