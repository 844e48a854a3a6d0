import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatCount,
  formatLoss,
  formatMilliseconds,
  formatSeconds,
  paceText,
  parseBytes,
  parseShape,
} from './format.ts';

describe('paceText', () => {
  it('says what is done, how fast, and how long it takes yet', () => {
    expect(paceText(250e6, 1e9, 0.5)).toBe('250 MB of 1.00 GB · 500 MB/s · 1.5 s left');
    expect(paceText(0, 1e9, 0)).toBe('0 B of 1.00 GB');
  });
});

describe('format', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [256_877, '257 kB'],
    [999_600, '1.00 MB'],
    [12_345_678, '12.3 MB'],
  ])('%d bytes are %j', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each([
    ['5 GB', 5e9],
    [' 1.5gb ', 1.5e9],
    ['500 MB', 5e8],
    ['4096', 4096],
    ['10 kB', 10_000],
    ['', null],
    ['0 GB', null],
    ['0.1 B', null],
    ['-1 GB', null],
    ['5 GiB', null],
    ['5 XB', null],
    ['999999999 TB', null],
  ])('%j are %j bytes', (text, bytes) => expect(parseBytes(text)).toBe(bytes));

  it.each([
    [20_456, '20,456'],
    [12_345_678, '12.3 M'],
    [7_000_000_000, '7.00 G'],
  ])('%d counts as %j', (count, text) => expect(formatCount(count)).toBe(text));

  it.each([
    [0.44, '0.4 s'],
    [42.2, '42 s'],
    [187, '3:07'],
    [3753, '1:02:33'],
  ])('%d seconds are %j', (seconds, text) => expect(formatSeconds(seconds)).toBe(text));

  it.each([
    [0.0004, '0 ms'],
    [0.0615, '0.061 ms'],
    [0.42, '0.42 ms'],
    [71.72, '71.7 ms'],
    [1240.4, '1240 ms'],
    [10_438, '10.4 s'],
  ])('%d milliseconds are %j', (milliseconds, text) =>
    expect(formatMilliseconds(milliseconds)).toBe(text),
  );

  it('keeps the digits of small losses and shows NaN', () => {
    expect(formatLoss(0.08213)).toBe('0.08213');
    expect(formatLoss(0.00002)).toBe('2.000e-5');
    expect(formatLoss(NaN)).toBe('NaN');
  });

  it.each([
    ['1, 28, 28', [1, 28, 28]],
    ['[1,28,28]', [1, 28, 28]],
    ['(32,)', [32]],
    ['3x224x224', [3, 224, 224]],
    ['', []],
    ['a', null],
    ['0, 2', null],
  ])('%j is the shape %j', (text, shape) => expect(parseShape(text)).toEqual(shape));
});
