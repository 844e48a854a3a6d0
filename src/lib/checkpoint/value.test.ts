import { describe, expect, it } from 'vitest';
import { Dict, isHashable, list, tuple, type Value } from './value.ts';

describe('Dict', () => {
  it.each<[string, Value, Value, boolean]>([
    ['1 and True', 1n, true, true],
    ['1 and 1.0', 1n, 1, true],
    ['0 and False', 0n, false, true],
    ['0.0 and -0.0', 0, -0, true],
    ['large ints and floats', 2n ** 70n, 2 ** 70, true],
    ['an int and a float beside it', 2n ** 70n + 1n, 2 ** 70, false],
    ['0.5 and 0.5', 0.5, 0.5, true],
    ["1 and '1'", 1n, '1', false],
    ["None and 'None'", null, 'None', false],
    ['equal tuples', tuple('a', 1n), tuple('a', true), true],
    ['tuples cut elsewhere', tuple('a', 'b'), tuple('a,sb'), false],
    ["(1,) and ('1',)", tuple(1n), tuple('1'), false],
    ['a tuple and its text', tuple('a'), '\0t7:stringa', false],
    ['() and None', tuple(), null, false],
    ['a string and an escaped one', '\0a', '\0s\0a', false],
    [
      'names',
      { kind: 'global', module: 'a', name: 'b' },
      { kind: 'global', module: 'a', name: 'b' },
      true,
    ],
    [
      'names cut elsewhere',
      { kind: 'global', module: 'a.b', name: 'c' },
      { kind: 'global', module: 'a', name: 'b.c' },
      false,
    ],
  ])('%s: equal as in Python', (_, a, b, equal) => {
    const dict = new Dict([
      [a, 'first'],
      [b, 'second'],
    ]);
    expect([...dict.entries()]).toEqual(
      equal
        ? [[a, 'second']]
        : [
            [a, 'first'],
            [b, 'second'],
          ],
    );
    expect(dict.get(b)).toBe('second');
  });

  it('takes __proto__ and constructor for keys like any', () => {
    const dict = new Dict([['__proto__', 1n]]);
    expect(dict.get('constructor')).toBeUndefined();
    expect([...dict.keys()]).toEqual(['__proto__']);
  });

  it('is empty, grows and shrinks', () => {
    const dict = new Dict();
    expect([dict.size, dict.has('a'), dict.delete('a'), ...dict.entries()]).toEqual([
      0,
      false,
      false,
    ]);
    dict.set('a', 1n).set('b', 2n);
    expect(dict.delete('a')).toBe(true);
    expect([...dict.values()]).toEqual([2n]);
  });

  it('costs little when a file uses one long key again and again', () => {
    const dict = new Dict();
    const key = tuple(...Array.from({ length: 100_000 }, () => 1n));
    const text = 'x'.repeat(10_000_000);
    for (let times = 0; times < 10_000; times++) dict.set(key, null).set(text, null);
    expect(dict.size).toBe(2);
  });
});

it('knows what Python can hash', () => {
  const bytes = new Uint8Array();
  expect(isHashable(tuple(1n))).toBe(true);
  expect(isHashable({ kind: 'bytes', bytes, mutable: false })).toBe(true);
  expect(isHashable({ kind: 'set', items: [], frozen: true })).toBe(true);
  expect(isHashable(list())).toBe(false);
  expect(isHashable(new Dict())).toBe(false);
  expect(isHashable({ kind: 'bytes', bytes, mutable: true })).toBe(false);
});
