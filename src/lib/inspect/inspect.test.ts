import { describe, expect, it } from 'vitest';
import { metaStorage, tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { Dict, dict, list, tuple, type Call, type Value } from '#lib/checkpoint/value.ts';
import { escape, label, pythonKey, quote, remark, summary } from './repr.ts';
import { partCount, partsOf, tensorsIn } from './walk.ts';

const global = (module: string, name: string): Value => ({ kind: 'global', module, name });
const call = (callable: Value, more: Partial<Call> = {}): Call => ({
  kind: 'call',
  callable,
  args: tuple(),
  how: 'reduce',
  ...more,
});
const tensor = tensorFromBytes(new Uint8Array(24), 'float32', [2, 3]);

describe('remark', () => {
  it('is absent for a plain tensor', () => {
    expect(remark(tensor)).toBeUndefined();
  });

  it('tells what dtype and shape do not', () => {
    expect(remark({ ...tensor, conj: true, neg: true })).toBe('conjugate view, negative view');
    expect(remark({ ...tensor, encoding: 'Q4_K' })).toBe('stored as Q4_K');
    expect(remark({ ...tensor, storage: metaStorage(24) })).toBe('meta: shape alone');
    const quantization = { scheme: 'per_tensor_affine', scale: 0.1, zeroPoint: 10n } as const;
    expect(remark({ ...tensor, quantization })).toBe('quantized, scale 0.1, zero point 10');
  });
});

describe('summary', () => {
  it.each<[Value, string]>([
    [null, 'None'],
    [true, 'True'],
    [3n, '3'],
    [0.001, '0.001'],
    ["it's", `"it's"`],
    ['a\u202eb\n', "'a\\u202eb\\n'"],
    ['x'.repeat(500), `'${'x'.repeat(120)}…'`],
    [10n ** 5000n, `1${'0'.repeat(119)}…`],
    [tensor, 'float32 [2, 3]'],
    [dict({ a: 1n }), 'dict, 1 entry'],
    [list(1n, 2n), 'list, 2 items'],
    [{ kind: 'set', items: [], frozen: true }, 'frozenset, 0 items'],
    [tuple(0.9, 0.999), '(0.9, 0.999)'],
    [tuple(1n), '(1,)'],
    [{ ...tuple(1n, 2n), type: 'torch.Size' } as Value, 'torch.Size((1, 2))'],
    [tuple(list()), 'tuple, 1 item'],
    [{ kind: 'bytes', bytes: new Uint8Array(3), mutable: true }, 'bytearray, 3 B'],
    [{ kind: 'complex', real: 1, imaginary: -2 }, '(1.0-2.0j)'],
    [{ kind: 'complex', real: -1, imaginary: 2 }, '(-1.0+2.0j)'],
    [global('os', 'sys\u202etem'), 'os.sys\\u202etem'],
    [call(global('m', 'f')), 'm.f(…), not called'],
    [call(call(global('m', 'f'))), 'a computed value(…), not called'],
    [{ kind: 'persistent', id: null }, 'a reference to something outside of the pickle'],
  ])('%#', (value, text) => expect(summary(value)).toBe(text));
});

it('keys, labels and literals', () => {
  expect(pythonKey('a')).toBe("'a'");
  expect(pythonKey(1n)).toBe('1');
  expect(label('a.b')).toBe('a.b');
  expect(label('x'.repeat(5000))).toHaveLength(1001);
  expect(quote(`a'b"c\\`)).toBe(`'a\\'b"c\\\\'`);
  expect(escape('\0\u{e0001}\t')).toBe('\\u0000\\U000e0001\\t');
});

describe('parts', () => {
  it('come in order, each with how Python reaches it', () => {
    const state = new Dict([['w', 1n]], 'OrderedDict');
    state.attributes = dict({ _metadata: 2n });
    const root = list(
      state,
      call(global('m', 'f'), { state: 3n, appended: [4n], entries: [['k', 5n]] }),
      { kind: 'persistent', id: 6n },
    );
    const steps = (value: Value) => [...partsOf(value)].map(({ step }) => step);
    expect(steps(root)).toEqual(['[0]', '[1]', '[2]']);
    expect(root.items.map(steps)).toEqual([
      ["['w']", '._metadata'],
      ['.callable', '.args', '.state', '[0]', "['k']"],
      ['.id'],
    ]);
    expect([...partsOf(state)][1]).toMatchObject({ attribute: true, value: 2n });
    for (const item of [root, ...root.items]) expect(partCount(item)).toBe(steps(item).length);
    expect([...partsOf(root, 2)].map(({ step }) => step)).toEqual(['[2]']);
  });

  it('keep attributes that have attributes of their own whole', () => {
    let inner = new Dict();
    for (let level = 0; level < 20_000; level++) {
      const outer = new Dict();
      outer.attributes = inner;
      inner = outer;
    }
    expect([...partsOf(inner)]).toMatchObject([{ step: '.__dict__', attribute: true }]);
    expect([...tensorsIn(inner)]).toEqual([]);
  });
});

describe('tensorsIn', () => {
  it('gives each tensor once, with its first path, and ends in cycles', () => {
    const self = list(tensor);
    const other = { ...tensor };
    self.items.push(self, dict({ again: tensor, other }));
    expect([...tensorsIn(self)].map(({ path }) => path)).toEqual(['[0]', "[2]['other']"]);
  });

  it('goes deep, wide and through billions of paths', () => {
    let deep: Value = tensor;
    for (let level = 0; level < 50_000; level++) deep = tuple(deep);
    let laughs: Value = list(tensor);
    for (let level = 0; level < 100; level++) laughs = list(laughs, laughs, laughs);
    const wide: Value = { kind: 'list', items: Array.from({ length: 100_000 }, () => 1n) };
    expect([...tensorsIn(list(deep, laughs, wide))]).toHaveLength(1);
  });
});
