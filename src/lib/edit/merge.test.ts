import { describe, expect, test } from 'vitest';
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { dict, type Dict, type Value } from '#lib/checkpoint/value.ts';
import { applyEdits } from './apply.ts';
import type { Edit, MergeHow } from './edits.ts';

const floats = (...values: number[]): Tensor =>
  tensorFromBytes(new Uint8Array(Float32Array.from(values).buffer), 'float32', [values.length]);
const matrix = (rows: number, ...values: number[]): Tensor => {
  const columns = values.length / rows;
  return { ...floats(...values), shape: [rows, columns], strides: [columns, 1] };
};
const count = (value: number) =>
  tensorFromBytes(new Uint8Array(BigInt64Array.of(BigInt(value)).buffer), 'int64', []);

function apply(root: Value, edit: Edit, ...others: Value[]) {
  const checkpoints = others.map((it, at) => [at, { root: it, name: `${at}.pt` }] as const);
  return applyEdits({ root, metadata: new Map() }, [edit], {
    others: new Map(checkpoints) as unknown as ReadonlyMap<number, Checkpoint>,
    literal: (text) => text,
  });
}

const merge = (how: MergeHow, others = 1): Edit => ({
  ...{ kind: 'merge', in: null, how },
  others: Array.from({ length: others }, (_, other) => ({ other, in: null })),
});
const average: MergeHow = { kind: 'weighted', weights: [0.5, 0.5] };
const numbers = async (root: Value, key: string) => {
  const bytes = await readTensor((root as Dict).get(key) as Tensor);
  return [...new Float32Array(bytes.slice().buffer)];
};
const messages = ({ steps }: ReturnType<typeof apply>) =>
  steps.flatMap((step) => step.findings.map(({ message }) => message));

describe('merge', () => {
  test('keeps ties that all have, integers, and what is in one alone', async () => {
    const [tied, other] = [floats(1, 2), floats(3, 4)];
    const root = dict({ a: tied, b: tied, n: count(3), own: floats(9) });
    const edited = apply(root, merge(average), dict({ a: other, b: other, n: count(4), x: tied }));
    const [a, b] = ['a', 'b'].map((key) => (edited.root as Dict).get(key) as Tensor);
    expect(a!.storage).toBe(b!.storage);
    expect(await numbers(edited.root, 'a')).toEqual([2, 3]);
    expect((edited.root as Dict).get('n')).toBe(root.get('n'));
    expect(messages(edited)).toEqual([
      'merge: "own" stay as they are: not every checkpoint has them',
      'merge: "x" of 0.pt are left out',
      'merge: "n" are integers, taken from the open checkpoint',
    ]);
  });

  test('joins keys that differ', async () => {
    const edited = apply(
      dict({ a: floats(1) }),
      merge({ kind: 'disjoint' }),
      dict({ b: floats(2) }),
    );
    expect(await numbers(edited.root, 'b')).toEqual([2]);
    expect(edited.steps[0]!.changed).toBe(1);
  });

  test.each<[MergeHow, Value, string]>([
    [{ kind: 'disjoint' }, dict({ a: floats(1) }), 'merge: 1 keys are in several: "a"'],
    [average, dict({ a: floats(1, 2) }), 'merge: "a" is [1], in 0.pt it is [2]'],
    [average, dict({ b: floats(1) }), 'merge: the checkpoints have no tensor in common'],
    [
      average,
      dict({ a: { ...count(1), shape: [1] } }),
      'merge: "a" is float32 and int64, which cannot be combined',
    ],
    [
      { kind: 'weighted', weights: [1] },
      dict({ a: floats(1) }),
      'merge: 1 weights are given, 2 are needed',
    ],
    [
      { kind: 'weighted', weights: [1, 1] },
      dict({ a: floats(1) }),
      'merge: the weights add up to 2, not to 1',
    ],
    [{ kind: 'slerp', t: NaN }, dict({ a: floats(1) }), 'merge: NaN is no finite number'],
    [
      { kind: 'task', scales: [] },
      dict({ a: floats(1) }),
      'merge: task arithmetic needs a fine-tuned checkpoint and its base',
    ],
  ])('%j of %#: %s', (how, other, message) => {
    expect(messages(apply(dict({ a: floats(1) }), merge(how), other))).toEqual([message]);
  });
});

describe('lora', () => {
  const lora = (other: number | null, scaling: number | null = 2): Edit => ({
    ...{ kind: 'lora', in: null, other, scaling },
  });
  const base = () => dict({ 'fc.weight': matrix(2, 1, 2, 3, 4, 5, 6), 'fc.bias': floats(0, 0) });
  const [a, b] = [matrix(1, 1, 2, 3), matrix(2, 10, 20)];

  test.each([
    ['base_model.model.fc.lora_A.weight', 'base_model.model.fc.lora_B.weight'],
    ['fc.lora_A.default.weight', 'fc.lora_B.default.weight'],
    ['lora_unet_fc.lora_down.weight', 'lora_unet_fc.lora_up.weight'],
    ['unet.fc.lora.down.weight', 'unet.fc.lora.up.weight'],
  ])('knows %s', async (nameA, nameB) => {
    const edited = apply(base(), lora(0), dict({ [nameA]: a, [nameB]: b }));
    expect(messages(edited)).toEqual([]);
    expect(await numbers(edited.root, 'fc.weight')).toEqual([21, 42, 63, 44, 85, 126]);
  });

  test('takes the alpha beside a pair, and a turned weight', async () => {
    const turned = dict({ 'fc.weight': matrix(3, 1, 4, 2, 5, 3, 6) });
    const adapter = dict({
      'fc.lora_down.weight': a,
      'fc.lora_up.weight': b,
      'fc.alpha': floats(2),
    });
    const edited = apply(turned, lora(0, null), adapter);
    expect(await numbers(edited.root, 'fc.weight')).toEqual([21, 44, 42, 85, 63, 126]);
  });

  test.each<[Record<string, Value>, number]>([
    [{ lora_alpha: 3n }, 3],
    [{ lora_alpha: 3n, use_rslora: true }, 3],
    [{ lora_alpha: 3n, alpha_pattern: dict({ fc: 4n }) }, 4],
  ])('scales as adapter_config.json says: %#', async (config, scale) => {
    const root = dict({ 'fc.lora_A.weight': a, 'fc.lora_B.weight': b });
    const other = { root, name: 'adapter', configuration: dict(config) } as unknown as Checkpoint;
    const edited = applyEdits({ root: base(), metadata: new Map() }, [lora(0, null)], {
      others: new Map([[0, other]]),
      literal: (text) => text,
    });
    expect((await numbers(edited.root, 'fc.weight'))[0]).toBe(1 + scale * 10);
  });

  test('merges what stands in the checkpoint itself', async () => {
    const root = dict({
      'fc.base_layer.weight': matrix(2, 1, 2, 3, 4, 5, 6),
      'fc.lora_A.default.weight': a,
      'fc.lora_B.default.weight': b,
    });
    const edited = apply(root, lora(null));
    expect([...(edited.root as Dict).keys()]).toEqual(['fc.weight']);
    expect(await numbers(edited.root, 'fc.weight')).toEqual([21, 42, 63, 44, 85, 126]);
  });

  test.each<[Dict, number | null, string]>([
    [dict({ 'fc.lora_A.weight': a }), 2, 'lora: "fc" has no lora_B'],
    [dict({ x: a }), 2, 'lora: 0.pt has no lora_A and lora_B'],
    [dict({ 'x.lora_A.weight': a, 'x.lora_B.weight': b }), 2, 'lora: "x" has no weight here'],
    [
      dict({ 'fc.lora_A.weight': a, 'fc.lora_B.weight': b }),
      null,
      'lora: nothing says alpha / rank, by which the adapter is scaled',
    ],
    [
      dict({ 'fc.lora_A.weight': a, 'fc.lora_B.weight': matrix(3, 1, 2, 3) }),
      2,
      'lora: "fc" has A float32 [1, 3] and B float32 [3, 1], the weight "fc.weight" is float32 [2, 3]',
    ],
    [
      dict({ 'fc.lora_magnitude_vector': a }),
      2,
      'lora: "fc.lora_magnitude_vector" belongs to another method than LoRA',
    ],
  ])('%#: %s %s', (adapter, scaling, message) => {
    expect(messages(apply(base(), lora(0, scaling), adapter))).toEqual([message]);
  });
});

describe('tie', () => {
  const tie = (...names: string[]): Edit => ({ kind: 'tie', names });

  test('has tensors share the storage of the first, and compares them', async () => {
    const edited = apply(dict({ a: floats(1, 2), b: floats(1, 2), c: floats(1) }), tie('a', 'b'));
    const [a, b] = ['a', 'b'].map((key) => (edited.root as Dict).get(key) as Tensor);
    expect(a!.storage).toBe(b!.storage);
    expect(await numbers(edited.root, 'b')).toEqual([1, 2]);
    const wrong = apply(dict({ a: floats(1, 2), b: floats(1, 3) }), tie('a', 'b'));
    await expect(numbers(wrong.root, 'a')).rejects.toThrow('tie: "b" has other elements than "a"');
  });

  test('says what cannot be tied', () => {
    const root = dict({ a: floats(1, 2), b: floats(1) });
    expect(messages(apply(root, tie('*')))).toEqual(['tie: "*" is no name of a tensor']);
    expect(messages(apply(root, tie('a', 'b')))).toEqual([
      'tie: "a" is float32 [2], "b" is float32 [1]: they cannot be one',
    ]);
  });
});
