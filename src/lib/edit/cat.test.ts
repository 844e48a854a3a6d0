import { expect, test } from 'vitest';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, type Value } from '#lib/checkpoint/value.ts';
import { applyEdits } from './apply.ts';
import type { Edit } from './edits.ts';

const bytes = (first: number, ...shape: number[]): Tensor => {
  const count = shape.reduce((a, b) => a * b, 1);
  return tensorFromBytes(
    Uint8Array.from({ length: count }, (_, at) => first + at),
    'uint8',
    shape,
  );
};
const parts = ['a.{n}.q', 'a.{n}.k'];
const cat = (whole = 'b.{n}.qk'): Edit => ({ kind: 'cat', in: null, parts, whole });
const chunk: Edit = { kind: 'chunk', in: null, parts, whole: 'b.{n}.qk' };

function apply(entries: [string, Value][], ...edits: Edit[]) {
  const tree = { root: new Dict(entries), metadata: new Map<string, string>() };
  const { root, steps, ok } = applyEdits(tree, edits, { others: new Map(), literal: () => null });
  return {
    root: root as Dict,
    ok,
    messages: steps.flatMap((it) => it.findings.map((f) => f.message)),
  };
}

test('parts of unequal length are joined across reads, and divide again', async () => {
  const entries: [string, Value][] = [
    ['a.0.q.weight', bytes(0, 2, 3)],
    ['x', bytes(9, 1)],
    ['a.0.k.weight', bytes(6, 4, 3)],
  ];
  const { root, messages } = apply(entries, cat());
  expect(messages).toEqual([]);
  expect([...root.keys()]).toEqual(['b.0.qk.weight', 'x']);
  const whole = root.get('b.0.qk.weight') as Tensor;
  expect(whole.shape).toEqual([6, 3]);
  expect([...(await readTensor(whole))]).toEqual(Array.from({ length: 18 }, (_, at) => at));
  expect([...(await whole.storage.read(4, 8))]).toEqual([4, 5, 6, 7]);
  const back = apply([...root.entries()] as [string, Value][], chunk).root;
  expect([...back.keys()]).toEqual(['a.0.q.weight', 'a.0.k.weight', 'x']);
  expect([...(await readTensor(back.get('a.0.k.weight') as Tensor))]).toEqual([
    ...[9, 10, 11, 12, 13, 14, 15, 16, 17],
  ]);
});

test.each<[string, [string, Value][], Edit, string]>([
  [
    'a part is missing',
    [['a.3.q.bias', bytes(0, 2)]],
    cat(),
    'cat: "b.3.qk.bias" lacks its part 2, "a.{n}.k"',
  ],
  [
    'shapes differ',
    [
      ['a.0.q', bytes(0, 2, 3)],
      ['a.0.k', bytes(0, 2, 4)],
    ],
    cat(),
    'cat: "a.0.q" is uint8 [2, 3], "a.0.k" is uint8 [2, 4]',
  ],
  [
    'there is no axis',
    [
      ['a.0.q', bytes(0)],
      ['a.0.k', bytes(0)],
    ],
    cat(),
    'cat: "a.0.q" is uint8 []',
  ],
  [
    'the name is taken',
    [
      ['a.0.q', bytes(0, 2)],
      ['a.0.k', bytes(0, 2)],
      ['b.0.qk', bytes(0, 2)],
    ],
    cat(),
    'cat: something else has the name "b.0.qk"',
  ],
  [
    'numbers differ',
    [['x', bytes(0, 1)]],
    cat('b.qk'),
    'cat: "a.{n}.q" and "b.qk" have different numbers',
  ],
  [
    'it does not divide',
    [['b.0.qk', bytes(0, 3)]],
    chunk,
    'chunk: "b.0.qk" is uint8 [3], whose first axis does not divide by 2',
  ],
  [
    'a name is taken by a part',
    [
      ['a.0.q', bytes(0, 1)],
      ['b.0.qk', bytes(0, 2)],
    ],
    chunk,
    'chunk: something else has the name "a.0.q"',
  ],
  ['nothing fits', [['x', bytes(0, 1)]], chunk, 'chunk: "b.{n}.qk" fits no key'],
])('says that %s', (_, entries, edit, message) => {
  expect(apply(entries, edit).messages).toEqual([message]);
});
