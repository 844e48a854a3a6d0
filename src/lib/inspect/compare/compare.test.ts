import { describe, expect, it } from 'vitest';
import { tensorFromBytes, type Storage, type Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, dict, list, tuple, type Value } from '#lib/checkpoint/value.ts';
import { compareTensors, type Outcome } from './compare_tensors.ts';
import { Comparison, type Difference } from './difference.ts';
import { differingValues } from './differing_values.ts';
import { namedTensors } from './named_tensors.ts';
import { detectNaming, detectRules } from './naming.ts';
import { pairTensors } from './pairing.ts';
import { suggestPairs } from './suggest.ts';

function floats(values: readonly number[], shape = [values.length]): Tensor {
  return tensorFromBytes(new Uint8Array(Float32Array.from(values).buffer), 'float32', shape);
}

const named = (names: Record<string, Tensor>) =>
  Object.entries(names).map(([name, tensor]) => ({ name, tensor }));

async function outcomesOf(pairs: [Tensor, Tensor][]): Promise<Outcome[]> {
  return Array.fromAsync(compareTensors(pairs));
}

describe('namedTensors', () => {
  it('joins the keys, and keeps a tensor that stands there twice', () => {
    const tied = floats([1]);
    const root = dict({
      model: dict({ 'fc.weight': tied, head: tied }),
      optimizer: dict({ state: new Dict([[0n, dict({ exp_avg: floats([2]) })]]) }),
      more: list(floats([3]), dict({ 'a.b': floats([4]), a: dict({ b: floats([5]) }) })),
    });
    expect(namedTensors(root).map(({ name }) => name)).toEqual([
      'model.fc.weight',
      'model.head',
      'optimizer.state.0.exp_avg',
      'more.0',
      'more.1.a.b',
      'more.1.a.b (2)',
    ]);
  });

  it('goes through a cycle once', () => {
    const root = dict({ x: floats([1]) });
    root.set('self', root);
    expect(namedTensors(root)).toHaveLength(1);
  });
});

describe('detectRules', () => {
  const plain = named({ 'conv.weight': floats([1, 2]), 'fc.bias': floats([1]) });
  const under = (prefix: string) =>
    plain.map(({ name, tensor }) => ({ name: prefix + name, tensor }));

  it.each([
    ['', '', []],
    ['', 'module.', [{ kind: 'strip', prefix: 'module.' }]],
    ['_orig_mod.', '', [{ kind: 'add', prefix: '_orig_mod.' }]],
    ['', 'a.b.', [{ kind: 'strip', prefix: 'a.b.' }]],
    [
      'model.',
      'module.',
      [
        { kind: 'strip', prefix: 'module.' },
        { kind: 'add', prefix: 'model.' },
      ],
    ],
  ])('finds the way from "%s" to "%s"', (a, b, rules) => {
    expect(detectRules(under(a), under(b))).toEqual(rules);
    expect(pairTensors(under(a), under(b), detectRules(under(a), under(b))).pairs).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });

  it.each([
    ['encoder._orig_mod.0.w encoder._orig_mod.1.w head.w', 'encoder.0.w encoder.1.w head.w'],
    ['a.module.x b.module._orig_mod.y c', 'a.x b.y c'],
  ])('finds wrappers of parts, on either side', (wrapped, bare) => {
    const [one, other] = [wrapped, bare].map((names) =>
      named(Object.fromEntries(names.split(' ').map((name, at) => [name, floats([at])]))),
    );
    for (const [a, b] of [
      [one, other],
      [other, one],
    ] as const) {
      const { pairs } = pairTensors(a!, b!, detectRules(a!, b!));
      expect(pairs).toEqual(a!.map((_, at) => [at, at]));
    }
  });

  it('guesses nothing where two ways pair as many', () => {
    const b = [...under('online.'), ...under('ema.')];
    const strip = (prefix: string) => [{ kind: 'strip', prefix }];
    expect(detectNaming(plain, b)).toEqual({
      rules: [],
      choices: [strip('online.'), strip('ema.')],
    });
    expect(detectRules(b, plain)).toEqual([]);
    const less = b.slice(0, 3); // of the second only a part
    expect(detectNaming(plain, less)).toEqual({ rules: strip('online.'), choices: [] });
  });

  it('takes no prefix off where two names would become one', () => {
    const b = named({ 'module.x': floats([1]), x: floats([1, 2]) });
    expect(detectRules(named({ x: floats([1]) }), b)).toEqual([]);
  });
});

describe('pairTensors', () => {
  const a = named({ x: floats([1]), y: floats([1]), z: floats([1]) });
  const b = named({ x: floats([1]), w: floats([1]), y: floats([1]) });

  it('pairs by name, chosen pairs first', () => {
    expect(pairTensors(a, b, [])).toEqual({
      pairs: [
        [0, 0],
        [1, 2],
      ],
      onlyA: [2],
      onlyB: [1],
    });
    expect(pairTensors(a, b, [], [[2, 0]])).toEqual({
      pairs: [
        [1, 2],
        [2, 0],
      ],
      onlyA: [0],
      onlyB: [1],
    });
  });

  it('refuses rules that make two names one', () => {
    const rules = [{ kind: 'replace', pattern: '^[wx]$', with: 'v' } as const];
    expect(() => pairTensors(a, b, rules)).toThrow('"x" and "w" both become "v"');
  });
});

describe('compareTensors', () => {
  it('counts NaN as equal to NaN, and what cannot be measured by itself', async () => {
    const a = floats([1, NaN, NaN, Infinity, Infinity, 0]);
    const b = floats([3, NaN, 1, Infinity, -Infinity, -0]);
    const [outcome] = await outcomesOf([[a, b]]);
    expect(outcome).toMatchObject({
      ...{ count: 6, identical: false, changed: 3, unmeasured: 2 },
      ...{ nans: [2, 1], infinities: [2, 2] },
      measured: { max: 2, at: 0, mean: 1, relative: 2 },
    });
  });

  it('has a cosine of exactly 1 where nothing changed, and none beyond', async () => {
    const values = Array.from({ length: 640 }, (_, at) => Math.sin(at * 7));
    const grown = values.map((value) => value * 1.5);
    const [same, along, against] = await outcomesOf([
      [floats(values), floats(values)],
      [floats(values), floats(grown)],
      [floats(values), floats(grown.map((value) => -value))],
    ]);
    expect(same).toMatchObject({ measured: { cosine: 1 } });
    for (const outcome of [along, against] as Difference[]) {
      expect(Math.abs(outcome.measured!.cosine!)).toBeLessThanOrEqual(1);
      expect(Math.abs(outcome.measured!.cosine!)).toBeCloseTo(1, 6);
    }
  });

  it('has no relative change or cosine of zeros', async () => {
    const [grown, none] = await outcomesOf([
      [floats([0, 0]), floats([0, 1])],
      [floats([]), floats([])],
    ]);
    expect(grown).toMatchObject({ measured: { relative: Infinity, cosine: null } });
    expect(none).toMatchObject({ count: 0, changed: 0, identical: true, measured: null });
  });

  it('goes on behind a tensor that cannot be read', async () => {
    const broken = floats([1, 2]);
    const read = () => Promise.reject(new Error('zip: the record data/0 is cut off'));
    const storage: Storage = { ...broken.storage, read };
    const outcomes = await outcomesOf([
      [floats([1]), floats([1])],
      [{ ...broken, storage }, floats([1, 2])],
      [floats([1]), floats([2])],
    ]);
    expect(outcomes.map((it) => (it instanceof Error ? it.message : it.changed))).toEqual([
      0,
      'zip: the record data/0 is cut off',
      1,
    ]);
  });

  it('keeps in step where elements have other sizes, over many pieces', async () => {
    const count = 3 * 2 ** 20 + 5;
    const numbers = Float32Array.from({ length: count }, (_, at) => at % 251);
    const bytes = Uint8Array.from(numbers);
    bytes[count - 1]! ^= 1;
    const a = tensorFromBytes(new Uint8Array(numbers.buffer), 'float32', [count]);
    const b = tensorFromBytes(bytes, 'uint8', [count]);
    const [outcome] = await outcomesOf([[a, b]]);
    expect(outcome).toMatchObject({ count, changed: 1, measured: { max: 1, at: count - 1 } });
  });

  it('knows of packed elements only whether they are equal', () => {
    expect(Comparison.of('bits8', 'uint8')).toBeNull();
    const comparison = Comparison.of('bits8', 'bits8')!;
    comparison.add(Uint8Array.of(1, 2, 3), Uint8Array.of(1, 0, 3));
    expect(comparison.result()).toMatchObject({ of: 'bytes', changed: 1, measured: null });
  });
});

describe('differingValues', () => {
  const between = (a: Value, b: Value) => differingValues(a, b).listed;

  it('names what differs as Python reaches it', () => {
    const a = dict({
      epoch: 3n,
      best: NaN,
      optimizer: dict({ param_groups: list(dict({ lr: 0.1, betas: tuple(0.9, 0.999) })) }),
      model: dict({ w: floats([1]) }),
      note: 'x',
    });
    const b = dict({
      epoch: 4n,
      best: NaN,
      optimizer: dict({ param_groups: list(dict({ lr: 0.01, betas: tuple(0.9, 0.99) })) }),
      model: dict({ w: floats([2]), v: floats([2]) }),
      scaler: null,
    });
    expect(between(a, b)).toEqual([
      { path: "['note']", a: "'x'", b: null },
      { path: "['scaler']", a: null, b: 'None' },
      { path: "['epoch']", a: '3', b: '4' },
      { path: "['optimizer']['param_groups'][0]['lr']", a: '0.1', b: '0.01' },
      { path: "['optimizer']['param_groups'][0]['betas'][1]", a: '0.999', b: '0.99' },
    ]);
  });

  it('tells apart what Python tells apart', () => {
    expect(between(dict({ x: 1n }), dict({ x: 1 }))).toEqual([{ path: "['x']", a: '1', b: '1.0' }]);
    expect(between(list(1n), tuple(1n))).toEqual([{ path: '', a: 'list, 1 item', b: '(1,)' }]);
    expect(between(dict(), new Dict([], 'OrderedDict'))).toHaveLength(1);
  });

  it('goes through cycles, and says once where two dicts have nothing in common', () => {
    const self = dict({ x: 1n });
    self.set('self', self);
    const other = dict({ x: 2n });
    other.set('self', other);
    expect(between(self, other)).toEqual([{ path: "['x']", a: '1', b: '2' }]);
    const many = (prefix: string) =>
      dict(Object.fromEntries(Array.from({ length: 20 }, (_, at) => [prefix + at, 1n])));
    expect(between(many('a'), many('b'))).toEqual([
      { path: '', a: 'dict, 20 entries, 20 only here', b: 'dict, 20 entries, 20 only here' },
    ]);
  });
});

describe('suggestPairs', () => {
  it('pairs by values, whatever the names; else by a shape that only two have', async () => {
    const random = (seed: number) =>
      Array.from({ length: 6 }, (_, at) => Math.sin(seed * 37 + at * 11));
    const near = random(1).map((value) => value * 1.01 + 0.001);
    const a = named({ p: floats(random(1)), q: floats(random(2)), r: floats([1, 2], [1, 2]) });
    const b = named({ u: floats(random(2)), v: floats(near), w: floats([-2, 1], [1, 2]) });
    const suggestions = await suggestPairs(a, b, pairTensors(a, b, []));
    expect(suggestions).toEqual([
      { pair: [0, 1], why: 'alike', cosine: expect.closeTo(1, 4) },
      { pair: [1, 0], why: 'equal', cosine: 1 },
      { pair: [2, 2], why: 'shape', cosine: null },
    ]);
  });

  it('finds the equals of more tensors than are held against each other', async () => {
    const count = 1200;
    const tensors = Array.from({ length: count }, (_, at) => floats([Math.sin(at), Math.cos(at)]));
    const entries = tensors.map((tensor, at): [string, Tensor] => [`t${at}`, tensor]);
    const a = named(Object.fromEntries(entries));
    const b = named(Object.fromEntries(entries.map(([name, it]) => [`${name}x`, it]).reverse()));
    const suggestions = await suggestPairs(a, b, pairTensors(a, b, []));
    expect(suggestions).toEqual(
      tensors.map((_, at) => ({ pair: [at, count - 1 - at], why: 'equal', cosine: 1 })),
    );
  });

  it('goes on behind a tensor that cannot be read', async () => {
    const broken = floats([5, 6]);
    const read = () => Promise.reject(new Error('gone'));
    const gone = { ...broken, storage: { ...broken.storage, read } };
    const a = named({ p: floats([1, 2]), q: gone, r: floats([2, -1]) });
    const b = named({ u: floats([2, -1]), v: floats([5, 6]), w: floats([1, 2]) });
    const suggestions = await suggestPairs(a, b, pairTensors(a, b, []));
    expect(suggestions.map(({ pair }) => pair)).toEqual([
      [0, 2],
      [2, 0],
    ]);
  });

  it('pairs tensors that are all the same in their order', async () => {
    const ones = () => floats([1, 1, 1]);
    const a = named({ a1: ones(), a2: ones() });
    const b = named({ b1: ones(), b2: ones(), b3: ones() });
    const suggestions = await suggestPairs(a, b, pairTensors(a, b, []));
    expect(suggestions).toEqual([
      { pair: [0, 0], why: 'order', cosine: 1 },
      { pair: [1, 1], why: 'order', cosine: 1 },
    ]);
  });
});
