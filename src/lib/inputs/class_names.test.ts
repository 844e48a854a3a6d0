import { describe, expect, it } from 'vitest';
import { Dict, dict, list, type Value } from '#lib/checkpoint/value.ts';
import { findClassNames, readClassNames } from './class_names.ts';

const read = (text: string, file: string) => readClassNames(new TextEncoder().encode(text), file);

describe('a file', () => {
  it.each([
    ['lines', 'names.txt', 'cat\r\nsmall dog \n\n'],
    ['a list', 'a.json', '["cat", "small dog"]'],
    ['a list of pairs', 'a.json', '[["n1", "cat"], ["n2", "small dog"]]'],
    ['an object', 'a.json', '{"0": "cat", "1": "small dog"}'],
    ['ImageNet’s', 'a.json', '{"1": ["n2", "small dog"], "0": ["n1", "cat"]}'],
    ['from name to index', 'a.json', '{"small dog": 1, "cat": 0}'],
    [
      'a config',
      'config.json',
      '{"model_type": "vit", "id2label": {"0": "cat", "1": "small dog"}}',
    ],
  ])('with %s', (_, file, text) => {
    expect(read(text, file)).toEqual(['cat', 'small dog']);
  });

  it('may name things that JavaScript knows, and leave a line empty', () => {
    expect(read('{"0": "__proto__"}', 'a.json')).toEqual(['__proto__']);
    expect(read('a\n\nb', 'a.txt')).toEqual(['a', '', 'b']);
  });

  it.each([
    ['nothing', 'a.txt', '', 'a.txt holds no names of classes'],
    ['a gap', 'a.json', '{"0": "a", "2": "b"}', 'a.json holds no names'],
    ['an index twice', 'a.json', '{"a": 0, "b": 0}', 'a.json holds no names'],
    ['objects', 'a.json', '[{}]', 'a.json holds no names'],
    ['a number', 'a.json', '3', 'a.json holds no names'],
    ['no JSON', 'a.json', '[', 'a.json is no JSON'],
  ])('with %s is refused', (_, file, text, message) => {
    expect(() => read(text, file)).toThrow(`class names: ${message}`);
  });
});

describe('a checkpoint', () => {
  it.each<[string, Value]>([
    ['class_names', dict({ model: dict(), class_names: list('a', 'b') })],
    ['class_to_idx', dict({ classes: 2n, class_to_idx: dict({ b: 1n, a: 0n }) })],
    [
      'idx_to_class',
      dict({
        meta: dict({
          idx_to_class: new Dict([
            [0n, 'a'],
            [1n, 'b'],
          ]),
        }),
      }),
    ],
    ['id2label', dict({ config: dict({ id2label: dict({ '0': 'a', '1': 'b' }) }) })],
  ])('with %s', (_, root) => {
    expect(findClassNames(root)).toEqual(['a', 'b']);
  });

  it('without', () => {
    expect(findClassNames(dict({ classes: 10n, labels: list(1n, 2n), names: list() }))).toBeNull();
    expect(findClassNames(list('a'))).toBeNull();
  });
});
