import { describe, expect, test } from 'vitest';
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { tensorFromBytes, type SparseTensor, type Tensor } from '#lib/checkpoint/tensor.ts';
import { dict, list, tuple, type Dict, type Value } from '#lib/checkpoint/value.ts';
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

  test('says what has no angle, and what has no sum', async () => {
    const slerp: MergeHow = { kind: 'slerp', t: 0.5 };
    const edited = apply(dict({ a: floats(1, NaN) }), merge(slerp), dict({ a: floats(1, 1) }));
    expect(messages(edited)).toEqual([]);
    await expect(numbers(edited.root, 'a')).rejects.toThrow('merge: "a" holds NaN, infinite');
    const sparse: SparseTensor = {
      ...{
        kind: 'sparse',
        layout: 'sparse_coo',
        shape: [2],
        requiresGrad: false,
        parameter: false,
      },
      parts: [['values', floats(1)]],
    };
    const both = dict({ a: floats(1), b: floats(1), s: sparse });
    expect(messages(apply(both, merge(average), both))).toEqual([
      'merge: "s" is sparse_coo, which cannot be combined',
    ]);
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

  /** With a folder that has an adapter_config.json. */
  const configured = (config: Record<string, Value>, root: Value, model: Value) => {
    const other = { root, name: 'adapter', configuration: dict(config) } as unknown as Checkpoint;
    return applyEdits({ root: model, metadata: new Map() }, [lora(0, null)], {
      others: new Map([[0, other]]),
      literal: (text) => text,
    });
  };
  const pair = dict({ 'fc.lora_A.weight': a, 'fc.lora_B.weight': b });

  test.each<[Record<string, Value>, number]>([
    [{ lora_alpha: 3n }, 3],
    [{ lora_alpha: 3n, use_rslora: true }, 3],
    [{ lora_alpha: 3n, alpha_pattern: dict({ fc: 4n }) }, 4],
    [{ lora_alpha: 3n, use_dora: false, loftq_config: dict({}), init_lora_weights: 'eva' }, 3],
  ])('scales as adapter_config.json says: %#', async (config, scale) => {
    const edited = configured(config, pair, base());
    expect((await numbers(edited.root, 'fc.weight'))[0]).toBe(1 + scale * 10);
  });

  test.each<[Record<string, Value>, string]>([
    [{ peft_type: 'ADALORA' }, 'peft_type is ADALORA'],
    [{ use_dora: true }, 'use_dora is true'],
    [{ init_lora_weights: 'pissa_niter_16' }, 'init_lora_weights is pissa_niter_16'],
    [{ layer_replication: list(tuple(0n, 2n)) }, 'layer_replication is set'],
    [{ use_tomorrow: 0.5 }, 'use_tomorrow is 0.5'],
  ])('refuses what is more than LoRA: %#', (config, what) => {
    const edited = configured({ lora_alpha: 3n, ...config }, pair, base());
    expect(messages(edited)).toEqual([
      `lora: ${what} in adapter_config.json, which is more than plain LoRA`,
    ]);
  });

  test('takes fan_in_fan_out of a square weight where no other layer contradicts it', async () => {
    const square = dict({ 'fc.weight': matrix(2, 0, 0, 0, 0) });
    const root = dict({ 'fc.lora_A.weight': matrix(1, 1, 2), 'fc.lora_B.weight': matrix(2, 5, 7) });
    const config = (turned: boolean) => ({ lora_alpha: 1n, fan_in_fan_out: turned });
    const merged = (turned: boolean) =>
      numbers(configured(config(turned), root, square).root, 'fc.weight');
    expect(await merged(false)).toEqual([5, 10, 7, 14]);
    expect(await merged(true)).toEqual([5, 7, 10, 14]);
    square.set('wide.weight', matrix(2, 1, 2, 3, 4, 5, 6)).set('wide.bias', floats(1, 2, 3));
    expect(messages(configured(config(false), root, square))).toEqual([
      'lora: "fc.weight" is [2, 2], and layers here have their inputs on either axis',
    ]);
  });

  test('says what was tied to a weight, and which ranks one scaling is for', () => {
    const model = base().set('tied.weight', base().get('fc.weight')!);
    model.set('fc.weight', model.get('tied.weight')!);
    const two = dict({
      ...{ 'fc.lora_A.weight': a, 'fc.lora_B.weight': b },
      ...{ 'out.lora_A.weight': matrix(2, 1, 1), 'out.lora_B.weight': matrix(1, 1, 1) },
    });
    model.set('out.weight', matrix(1, 1));
    expect(messages(apply(model, lora(0), two))).toEqual([
      'lora: "tied.weight" were tied to a weight that has the adapter now, and stay as they are',
      'lora: pairs of rank 1, 2 are all scaled by 2, as given',
    ]);
  });

  test('merges what stands in the checkpoint itself', async () => {
    const root = dict({
      'fc.base_layer.weight': matrix(2, 1, 2, 3, 4, 5, 6),
      'fc.lora_A.default.weight': a,
      'fc.lora_B.default.weight': b,
      'head.original_module.weight': floats(1),
      'head.modules_to_save.default.weight': floats(2),
    });
    const edited = apply(root, lora(null));
    expect([...(edited.root as Dict).keys()]).toEqual(['fc.weight', 'head.weight']);
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
    [
      dict({ 'fc.lora_B.default.bias': a }),
      2,
      'lora: "fc.lora_B.default.bias" belongs to another method than LoRA',
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
