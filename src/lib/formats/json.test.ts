import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseJson } from './json.ts';

const parse = (text: string) => parseJson(new TextEncoder().encode(text));

describe('JSON', () => {
  it('keeps integers exact and every pair', () => {
    expect(parse('{"a": 9007199254740993, "a": -0, "__proto__": [1.5, 1e3]}')).toEqual({
      pairs: [
        ['a', 9007199254740993n],
        ['a', -0],
        ['__proto__', [1.5, 1000]],
      ],
    });
    expect(parse(' [true, false, null, "\\u00e9\\n\\\\"] ')).toEqual([true, false, null, 'é\n\\']);
  });

  it.each([
    ['', 'character 0: expected a value'],
    ['{"a": 1,}', 'expected a key'],
    ['[1 2]', 'expected "]"'],
    ['01', 'something follows'],
    ['"\\x"', 'unknown escape "x"'],
    ['"\\u12g4"', 'four hexadecimal digits'],
    ['"a', 'a string has no end'],
    ['"a\nb"', 'control character'],
    ['truth', 'unknown word'],
    ['['.repeat(129), 'nested deeper than 128'],
    ['1'.repeat(1001), 'an integer of 1001 digits'],
    ['\ufeff{}', 'character 0'],
  ])('refuses %j', (text, message) => {
    expect(() => parse(text)).toThrow(SyntaxError);
    expect(() => parse(text)).toThrow(message);
  });

  it('refuses what is no UTF-8', () => {
    expect(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22))).toThrow('not UTF-8');
  });
});

const corpus = process.env['WEIGHTROOM_CORPUS'] ?? '../shared/corpus';
const suite = join(resolve(import.meta.dirname, '../../..', corpus), 'json');
// Files from elsewhere: where they are absent, there is no test to skip.
if (existsSync(suite)) describe('JSONTestSuite', testSuite);
else console.warn(`JSONTestSuite is not in ${suite}: set WEIGHTROOM_CORPUS to the folder above it`);

function testSuite(): void {
  const files = readdirSync(suite, { recursive: true, encoding: 'utf8' });
  const named = (letter: string) => {
    const pattern = new RegExp(`(^|/)${letter}_[^/]*\\.json$`);
    return files.filter((name) => pattern.test(name));
  };
  /** Null where the file is read; else why not, which must be a SyntaxError. */
  const judge = (name: string) => {
    try {
      parseJson(readFileSync(join(suite, name)));
      return null;
    } catch (error) {
      if (error instanceof SyntaxError) return error.message;
      throw error;
    }
  };

  it('every y_ is read', () => {
    expect(named('y').length).toBeGreaterThan(90);
    expect(named('y').filter((name) => judge(name) !== null)).toEqual([]);
  });
  it('every n_ is refused', () => {
    expect(named('n').length).toBeGreaterThan(180);
    expect(named('n').filter((name) => judge(name) === null)).toEqual([]);
  });
  it('no i_ is more than refused', () => {
    for (const name of named('i')) judge(name);
  });
}
