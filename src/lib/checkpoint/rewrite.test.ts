import { describe, expect, it } from 'vitest';
import { rewrite } from './rewrite.ts';
import { tensorFromBytes } from './tensor.ts';
import { Dict, list, tuple, type Call, type List, type Tuple, type Value } from './value.ts';

const call = (more: Partial<Call> = {}): Call => ({
  kind: 'call',
  callable: { kind: 'global', module: 'm', name: 'f' },
  args: tuple(),
  how: 'reduce',
  ...more,
});

describe('rewrite', () => {
  it('copies containers, keeps sharing, and leaves the input and its tensors alone', () => {
    const tensor = tensorFromBytes(new Uint8Array(4), 'float32', [1]);
    const shared = list(1n);
    const attributes = new Dict([['_metadata', shared]]);
    const root = new Dict([
      ['a', shared],
      ['b', tuple(shared, tensor)],
    ]);
    root.type = 'OrderedDict';
    root.attributes = attributes;
    const copy = rewrite(root, {}) as Dict;
    expect(copy).not.toBe(root);
    expect(copy.type).toBe('OrderedDict');
    expect(copy.get('a')).toEqual(shared);
    expect(copy.get('a')).not.toBe(shared);
    const { items } = copy.get('b') as Tuple;
    expect(items[0]).toBe(copy.get('a'));
    expect(items[1]).toBe(tensor);
    expect((copy.attributes as Dict).get('_metadata')).toBe(copy.get('a'));
    expect(root.get('a')).toBe(shared);
  });

  it('keeps cycles', () => {
    const self = list();
    self.items.push(self, new Dict([['again', self]]));
    const copy = rewrite(self, {}) as List;
    expect(copy.items[0]).toBe(copy);
    expect((copy.items[1] as Dict).get('again')).toBe(copy);
  });

  it('visits in the order in which Python would pickle', () => {
    const seen: string[] = [];
    const named = (name: string): Value => ({ kind: 'global', module: '', name });
    const root = list(
      new Dict([
        [named('key 1'), named('value 1')],
        [named('key 2'), named('value 2')],
      ]),
      call({
        callable: named('callable'),
        args: tuple(named('argument')),
        appended: [named('appended')],
        entries: [[named('key'), named('value')]],
        state: named('state'),
      }),
      { kind: 'persistent', id: named('id') },
    );
    rewrite(root, {
      before(value) {
        if (value.kind === 'global') seen.push(value.name);
        return value;
      },
    });
    expect(seen).toEqual(
      'key 1,value 1,key 2,value 2,callable,argument,appended,key,value,state,id'.split(','),
    );
  });

  it('replaces before and after, once for each object', () => {
    const one = call();
    let count = 0;
    const copy = rewrite(list(one, one, call({ state: 1n })), {
      before: (value) => (value.kind === 'global' ? 'name' : value),
      after(value) {
        if (value.kind !== 'call') return value;
        count++;
        return list(value.callable, value.state ?? null);
      },
    });
    expect(copy).toEqual(list(list('name', null), list('name', null), list('name', 1n)));
    expect((copy as List).items[0]).toBe((copy as List).items[1]);
    expect(count).toBe(2);
  });

  it('goes a million levels deep and a million items wide', () => {
    const size = 1_000_000;
    let deep: Value = tuple();
    for (let level = 0; level < size; level++) deep = tuple(deep);
    const wide: List = { kind: 'list', items: Array.from({ length: size }, () => 7n) };
    const copy = rewrite(list(deep, wide), {}) as List;
    expect((copy.items[1] as List).items).toHaveLength(size);
    let depth = 0;
    for (let at = copy.items[0] as Tuple; at.items.length > 0; at = at.items[0] as Tuple) depth++;
    expect(depth).toBe(size);
  });
});
