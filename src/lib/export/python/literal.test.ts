import { describe, expect, it } from 'vitest';
import { parseLiteral } from '#lib/architecture/literal.ts';
import { dict, tuple } from '#lib/checkpoint/value.ts';
import { identifier, pythonLiteral, pythonNumber, pythonString, pythonValue } from './literal.ts';

describe('texts', () => {
  it.each([
    ['a "b"', String.raw`"a \"b\""`],
    ['a\nb\r\tc\0', String.raw`"a\nb\r\tc\u0000"`],
    ['C:\\new', String.raw`"C:\\new"`],
    ['größe 大小', '"größe 大小"'],
    ['user\u202egnp.exe', String.raw`"user\u202egnp.exe"`],
    ['a\u2028b\u00a0c', String.raw`"a\u2028b\u00a0c"`],
    ['\ud800', String.raw`"\ud800"`],
    ['\u{e0041}', String.raw`"\U000e0041"`],
  ])('%j', (text, literal) => expect(pythonString(text)).toBe(literal));
});

it.each([
  [1, '1'],
  [0.1, '0.1'],
  [1e-7, '1e-7'],
  [-0, '-0.0'],
  [Infinity, 'float("inf")'],
  [-Infinity, '-float("inf")'],
  [NaN, 'float("nan")'],
])('the number %d is %s', (value, literal) => expect(pythonNumber(value)).toBe(literal));

it('breaks what is long into lines', () => {
  expect(pythonLiteral({ a: [1, null, true], b: 'x' })).toBe('{"a": [1, None, True], "b": "x"}');
  const long = pythonLiteral(['x'.repeat(60), 'y'.repeat(60)]);
  expect(long).toBe(`[\n    "${'x'.repeat(60)}",\n    "${'y'.repeat(60)}",\n]`);
  const many = pythonLiteral(Array.from({ length: 100 }, (_, at) => at));
  expect(Math.max(...many.split('\n').map((line) => line.length))).toBeLessThan(100);
  expect(JSON.parse(many.replace(/,\s*\]$/, ']'))).toHaveLength(100);
});

it.each(['lambda', 'a b', 'x=1', '', '1a', "a'"])('%j is no name', (name) => {
  expect(() => identifier(name)).toThrow(`export: ${JSON.stringify(name)} is no name in Python`);
});

describe('arguments', () => {
  it.each([
    ['GPTConfig(n_layer=2, bias=False)', 'GPTConfig(n_layer=2, bias=False)'],
    ['[1, 2.0, (3,), -1e-3]', '[1, 2.0, (3,), -0.001]'],
    ['{"a": None, 1: "b"}', '{"a": None, 1: "b"}'],
    ['1e30', '1e+30'],
    ['-0.0', '-0.0'],
  ])('%s', (text, python) => {
    expect(pythonValue(parseLiteral(text), (name) => name)).toBe(python);
  });

  it('are called as the project calls them', () => {
    expect(pythonValue(parseLiteral('[Block]'), (name) => `source_${name}`)).toBe('[source_Block]');
    expect(pythonValue(tuple(dict({ a: 1n }), 2n), String)).toBe('({"a": 1}, 2)');
  });
});
