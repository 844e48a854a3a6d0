import { describe, expect, it } from 'vitest';
import { describe as describeValue } from '../../../tests/fixtures/describe.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, dict, isTensor, list, tuple, type Value } from '#lib/checkpoint/value.ts';
import { flattenTree } from './kept_tree.ts';
import { restoreTree } from './kept_tree.read.ts';

const tensor = (...bytes: number[]): Tensor =>
  tensorFromBytes(Uint8Array.from(bytes), 'uint8', [bytes.length]);

/** As a file holds them: each tensor by itself. */
async function written(tensors: Dict): Promise<Dict> {
  const copies = [...tensors.entries()].map(async ([key, it]): Promise<[Value, Value]> => {
    if (!isTensor(it)) throw new Error('no tensor');
    const bytes = new Uint8Array(await readTensor(it));
    return [key, tensorFromBytes(bytes, it.dtype, it.shape)];
  });
  return new Dict(await Promise.all(copies));
}

const weight = tensor(1, 2);
const shared = list(1n, 'a');
const stateDict = new Dict(
  [
    ['weight', { ...weight, parameter: true, requiresGrad: true }],
    ['tied', { ...weight }],
  ],
  'OrderedDict',
);
stateDict.attributes = dict({ _metadata: new Dict([['', dict({ version: 1n })]], 'OrderedDict') });
const nested = dict({
  model: stateDict,
  optimizer: dict({
    state: new Dict([[0n, dict({ step: tensor(3), exp_avg: tensor(4, 5) })]]),
    param_groups: list(dict({ lr: 0.1, betas: tuple(0.9, 1), params: list(0n), foreach: null })),
  }),
  epoch: 3n,
  best: -0,
  worst: new Dict([
    [1.5, NaN],
    [true, -Infinity],
    [null, 2n ** 70n],
    [tuple(1n, 'x'), '\ud800 "quoted"\n'],
  ]),
  size: { kind: 'tuple', items: [2n], type: 'torch.Size' },
  names: { kind: 'set', items: ['a'], frozen: false },
  raw: { kind: 'bytes', bytes: Uint8Array.of(0, 255, 7), mutable: false },
  buffer: { kind: 'bytes', bytes: new Uint8Array(50_000).fill(9), mutable: true },
  number: { kind: 'complex', real: 1, imaginary: -0.5 },
  dtype: { kind: 'global', module: 'torch', name: 'float32' },
  sparse: {
    ...{ kind: 'sparse', layout: 'sparse_coo', shape: [4], coalesced: true },
    parts: [
      ['indices', tensor(0)],
      ['values', tensor(6)],
    ],
    ...{ parameter: false, requiresGrad: false },
  },
  shared,
  again: shared,
});

describe('the tree beside flat tensors', () => {
  it('comes back as it was, ties too', async () => {
    const { tensors, text } = flattenTree(nested, '.');
    expect([...tensors.keys()]).toEqual([
      ...['model.weight', 'model.tied', 'optimizer.state.0.step', 'optimizer.state.0.exp_avg'],
      ...['sparse.indices', 'sparse.values'],
    ]);
    const { root, findings } = restoreTree(await written(tensors), text!);
    expect(findings).toEqual([]);
    expect(await describeValue(root)).toEqual(await describeValue(nested));
  });

  it('is not needed where a dict of tensors says everything', () => {
    expect(flattenTree(dict({ a: tensor(1), b: tensor(2) }), '.').text).toBeNull();
    expect(flattenTree(dict({ b: tensor(1), a: tensor(2) }), '.', () => false).text).toContain('b');
    expect(flattenTree(dict({ a: dict({ b: tensor(2) }) }), '.').text).not.toBeNull();
    expect(flattenTree(dict({ a: weight, b: weight }), '.').text).not.toBeNull();
  });

  it('keeps a list that holds itself', async () => {
    const endless = list();
    endless.items.push(endless, tensor(1));
    const { tensors, text } = flattenTree(endless, '/');
    expect([...tensors.keys()]).toEqual(['1']);
    const { root } = restoreTree(await written(tensors), text!);
    expect((root as typeof endless).items[0]).toBe(root);
  });

  it.each<[string, Value]>([
    ['two tensors come to the name "a.b"', dict({ 'a.b': tensor(1), a: dict({ b: tensor(2) }) })],
    ['"run" refers to something outside', dict({ run: { kind: 'persistent', id: '1' } })],
    ['nests over 40 levels deep', Array.from({ length: 50 }).reduce<Value>((it) => list(it), 1n)],
  ])('refuses: %s', (message, root) => {
    expect(() => flattenTree(root, '.')).toThrow(message);
  });

  it('takes tensors that came, went or changed, and says so', async () => {
    const { tensors, text } = flattenTree(nested, '.');
    const file = await written(tensors);
    file.delete('optimizer.state.0.step');
    file.set('added', tensor(8));
    file.set('model.tied', tensor(1, 2, 3));
    const { root, findings } = restoreTree(file, text!);
    expect(findings.map(({ message }) => message)).toEqual([
      'unflatten: "model.tied" no longer fits the one that it was tied to',
      'unflatten: "optimizer.state.0.step" is in the tree, not in the file',
      'unflatten: "added" is not in the tree',
    ]);
    expect((root as Dict).get('added')).toMatchObject({ shape: [1] });
  });

  it('does not tie what has become different', async () => {
    const { tensors, text } = flattenTree(nested, '.');
    const file = await written(tensors);
    file.set('model.tied', tensor(1, 9));
    const { root } = restoreTree(file, text!);
    const tied = ((root as Dict).get('model') as Dict).get('tied') as Tensor;
    await expect(readTensor(tied)).rejects.toThrow(
      'unflatten: "model.tied" was tied to "model.weight" and has other elements now',
    );
  });

  it.each([
    ['', 'character 0'],
    ['{"version": 2}', 'its version is not 1'],
    ['{"version": 1}', 'it lacks ties or the tree'],
    ['{"version": 1, "ties": [], "tree": {"what": 1}}', 'the unknown kind "what"'],
    ['{"version": 1, "ties": [], "tree": {"dict": [[[], 1]]}}', 'a key has no hash'],
    ['{"version": 1, "ties": [], "tree": {"ref": 0}}', 'a reference leads nowhere'],
    ['{"version": 1, "ties": [], "tree": 1}', 'it is no dict'],
    ['{"version": 1, "ties": [], "tree": {"bytes": "?"}}', 'bytes are no base64'],
  ])('refuses %s', (text, message) => {
    expect(() => restoreTree(dict({ a: tensor(1) }), text)).toThrow(message);
  });
});
