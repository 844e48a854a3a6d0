import { describe, expect, it } from 'vitest';
import { Dict, dict, list, type Value } from '#lib/checkpoint/value.ts';
import { flatten, unflatten } from './flatten.ts';

const flat = (root: Value, separator = '.') =>
  flatten({ root, metadata: new Map() }, { separator });
const nested = (root: Value, separator = '.', metadata = new Map<string, string>()) =>
  unflatten({ root, metadata }, { separator });

describe('flatten', () => {
  it('joins keys of dicts, leaves lists, and is taken back', () => {
    const lists = list(dict({ lr: 1 }));
    const root = dict({ a: dict({ b: dict({ c: 1n }), d: 2n }), e: lists });
    const { root: joined, changed } = flat(root, '/');
    expect([...(joined as Dict).entries()]).toEqual([
      ['a/b/c', 1n],
      ['a/d', 2n],
      ['e', lists],
    ]);
    expect(changed).toBe(2);
    const back = nested(joined!, '/').root as Dict;
    expect([...back.keys()]).toEqual(['a', 'e']);
    expect(((back.get('a') as Dict).get('b') as Dict).get('c')).toBe(1n);
  });

  it('names what clashes, and what nests without end', () => {
    expect(() => flat(dict({ 'a.b': 1n, a: dict({ b: 2n }) }))).toThrow(
      'flatten: two entries come to the key "a.b"',
    );
    expect(() => nested(dict({ a: 1n, 'a.b': 2n }))).toThrow(
      'unflatten: two entries come to the key "a.b"',
    );
    expect(() => nested(dict({ 'a.b': 1n, a: 2n }))).toThrow('come to the key "a"');
    const endless = dict({});
    endless.set('a', endless);
    expect(() => flat(endless)).toThrow('nest over 200 deep');
    expect(() => flat(list())).toThrow('flatten: the whole is no dict');
    expect(() => flat(dict({}), '')).toThrow('nothing stands between the keys');
  });

  it('restores the tree that the metadata keeps, and takes it out', () => {
    const tree = '{"version": 1, "ties": [], "tree": {"dict": [["epoch", 3]]}}';
    const metadata = new Map([
      ['weightroom.tree', tree],
      ['format', 'pt'],
    ]);
    const { root, metadata: left } = nested(dict({}), '.', metadata);
    expect((root as Dict).get('epoch')).toBe(3n);
    expect([...left!.keys()]).toEqual(['format']);
  });
});
