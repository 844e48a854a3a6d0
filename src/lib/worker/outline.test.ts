import { describe, expect, it } from 'vitest';
import { tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { Dict, dict, list, tuple, type Value } from '#lib/checkpoint/value.ts';
import { factsOf } from './facts.ts';
import { Outline } from './outline.ts';

const vector = (size: number) => tensorFromBytes(new Uint8Array(4 * size), 'float32', [size]);
const outline = (root: Value, stateDict?: Value) => new Outline(root, stateDict);

describe('outline', () => {
  it('opens rows when asked, the same row for the same place', () => {
    const rows = outline(dict({ a: list(1n, 'x'), b: 2.5 }));
    expect(rows.root).toMatchObject({ key: 'checkpoint', kind: 'dict', childCount: 2, path: '' });
    const [a, b] = rows.children(rows.root.id, 0, 10);
    expect(a).toMatchObject({ key: 'a', path: "['a']", kind: 'list', childCount: 2 });
    expect(b).toMatchObject({ key: 'b', path: "['b']", kind: 'float', summary: '2.5' });
    expect(rows.children(rows.root.id, 1, 1)).toEqual([b]);
    expect(rows.children(a!.id, 1, 5)).toMatchObject([{ path: "['a'][1]", summary: "'x'" }]);
    expect(rows.value(b!.id)).toBe(2.5);
    expect(() => rows.children(99, 0, 1)).toThrow('there is no row 99');
    expect(() => rows.value(99)).toThrow('there is no row 99');
  });

  it('ends in no cycle and in no billion laughs', () => {
    const self = list();
    self.items.push(self);
    let laughs: Value = tuple('ha');
    for (let level = 0; level < 60; level++) laughs = tuple(laughs, laughs, laughs);
    const rows = outline(list(self, laughs));
    const [cycle, laugh] = rows.children(rows.root.id, 0, 2);
    expect(rows.children(cycle!.id, 0, 1)).toMatchObject([{ path: '[0][0]', childCount: 1 }]);
    expect(rows.children(laugh!.id, 0, 9).map(({ path }) => path)).toEqual([
      '[1][0]',
      '[1][1]',
      '[1][2]',
    ]);
  });

  it('makes only the rows that are asked for', () => {
    const items = Array.from({ length: 200_000 }, (_, index) => BigInt(index));
    const rows = outline({ kind: 'list', items });
    expect(rows.root.childCount).toBe(200_000);
    const [row] = rows.children(rows.root.id, 199_998, 1);
    expect(row).toMatchObject({ id: 1, path: '[199998]', summary: '199998' });
  });

  it('counts storages once and says who shares them', () => {
    const weight = vector(4);
    const tied = { ...weight };
    const rows = outline(dict({ weight, tied, other: vector(2) }));
    expect(rows.totals).toEqual({ tensors: 3, elements: 10, bytes: 24 });
    const [first, second] = rows.children(rows.root.id, 0, 2);
    expect(first!.tensor).not.toHaveProperty('sharedWith');
    expect(second!.tensor).toMatchObject({ sharedWith: "['weight']", bytes: 16 });
  });

  it('shows attributes as such', () => {
    const state = new Dict([], 'OrderedDict');
    state.attributes = dict({ _metadata: dict() });
    const rows = outline(state);
    expect(rows.children(rows.root.id, 0, 9)).toMatchObject([
      { key: '_metadata', path: '._metadata', note: 'attribute' },
    ]);
  });

  it('names the parameter of each optimizer state, and no number', () => {
    const model = dict({
      'bn.weight': vector(2),
      'bn.running_mean': vector(2),
      'fc.weight': vector(3),
    });
    const states = new Dict([
      [0n, dict({ exp_avg: vector(2) })],
      [1n, 7n],
    ] as [Value, Value][]);
    const group = dict({ lr: 0.1, params: list(0n, 1n) });
    const root = dict({
      model,
      optimizer: dict({ state: states, param_groups: list(group) }),
      seven: 7n,
    });
    const rows = outline(root, model);
    const [, optimizer, seven] = rows.children(rows.root.id, 0, 9);
    const [state] = rows.children(optimizer!.id, 0, 1);
    expect(rows.children(state!.id, 0, 9).map(({ note }) => note)).toEqual([
      'bn.weight',
      undefined,
    ]);
    expect(seven!.note).toBeUndefined();
  });

  it('survives calls of calls and keys of any length', () => {
    let called: Value = { kind: 'global', module: 'm', name: 'f' };
    for (let level = 0; level < 20_000; level++) {
      called = { kind: 'call', callable: called, args: tuple(), how: 'reduce' };
    }
    const rows = outline(new Dict([['k'.repeat(1_000_000), called]]));
    const [row] = rows.children(rows.root.id, 0, 1);
    expect(row!.path.length).toBeLessThan(2000);
    expect(row!.summary).toBe('a computed value(…), not called');
  });
});

describe('facts', () => {
  const facts = (root: Value, metadata: [string, string][] = []) =>
    factsOf({
      name: '',
      format: '',
      size: 0,
      findings: [],
      calls: [],
      root,
      metadata: new Map(metadata),
    });

  it('are the plain values at the top, one level below, and of the container', () => {
    const root = dict({ epoch: 3n, metrics: dict({ loss: 0.5, none: null }), model: list() });
    expect(facts(root, [['byteorder', 'little']])).toEqual([
      { label: 'epoch', value: '3' },
      { label: 'metrics.loss', value: '0.5' },
      { label: 'byteorder', value: 'little' },
    ]);
  });

  it('are few and short, and the container keeps its own', () => {
    const many = new Dict(Array.from({ length: 1000 }, (_, at) => [`k${at}`, 'x'.repeat(1e5)]));
    const shown = facts(many, [['tags', 'y'.repeat(1e5)]]);
    expect(shown).toHaveLength(24);
    expect(shown.at(-1)!.label).toBe('tags');
    expect(Math.max(...shown.map(({ value }) => value.length))).toBeLessThan(200);
  });
});
