import { describe, expect, it } from 'vitest';
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { numel, tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, dict, list, type Value } from '#lib/checkpoint/value.ts';
import { dtypes } from '#lib/checkpoint/dtype.ts';
import { bind, findStateDicts } from './binding.ts';
import type { ParameterSpec } from './graph.ts';

function tensor(shape: number[], dtype: Dtype = 'float32'): Tensor {
  return tensorFromBytes(new Uint8Array(numel(shape) * dtypes[dtype].size), dtype, shape);
}

function spec(key: string, shape: number[], more: Partial<ParameterSpec> = {}): ParameterSpec {
  return { key, shape, dtype: 'float32', kind: 'parameter', requiresGrad: true, ...more };
}

const state = [
  spec('fc.weight', [2, 3]),
  spec('fc.bias', [2]),
  spec('bn.running_mean', [2], { kind: 'buffer' }),
  spec('bn.num_batches_tracked', [], { kind: 'buffer', dtype: 'int64' }),
];
const weights: Record<string, Value> = {
  'fc.weight': tensor([2, 3]),
  'fc.bias': tensor([2]),
  'bn.running_mean': tensor([2]),
  'bn.num_batches_tracked': tensor([], 'int64'),
};
const prefixed = (prefix: string) =>
  dict(Object.fromEntries(Object.entries(weights).map(([key, value]) => [prefix + key, value])));

function without(key: string): Record<string, Value> {
  return Object.fromEntries(Object.entries(weights).filter(([name]) => name !== key));
}

describe('bind', () => {
  it('matches every key', () => {
    const binding = bind(state, dict(weights));
    expect([...binding.matched.keys()]).toEqual(state.map(({ key }) => key));
    expect(binding.matched.get('fc.bias')).toEqual({
      tensor: weights['fc.bias'],
      fileKey: 'fc.bias',
    });
    expect(binding).toMatchObject({
      missing: [],
      unexpected: [],
      mismatched: [],
      stripped: [],
      notes: [],
    });
  });

  it('reports missing, unexpected and mismatched keys', () => {
    const rest = without('fc.bias');
    const binding = bind(
      state,
      dict({ ...rest, 'fc.weight': tensor([3, 2]), extra: tensor([1]), 'fc._extra_state': null }),
    );
    expect(binding.missing).toEqual(['fc.bias']);
    expect(binding.unexpected).toEqual(['extra', 'fc._extra_state']);
    expect(binding.mismatched).toEqual([
      { key: 'fc.weight', fileKey: 'fc.weight', checkpoint: [3, 2], model: [2, 3] },
    ]);
  });

  it.each([
    ['module.', ['module.']],
    ['_orig_mod.', ['_orig_mod.']],
    ['module._orig_mod.', ['module.', '_orig_mod.']],
    ['_orig_mod.module.', ['_orig_mod.', 'module.']],
    ['other.', []],
  ])('strips %s', (prefix, stripped) => {
    const binding = bind(state, prefixed(prefix));
    expect(binding.stripped).toEqual(stripped);
    expect(binding.missing.length === 0).toBe(stripped.length > 0);
    if (stripped.length > 0) {
      expect(binding.matched.get('fc.bias')!.fileKey).toBe(`${prefix}fc.bias`);
    }
  });

  it('leaves a prefix that belongs to the model', () => {
    const wrapped = state.map((item) => ({ ...item, key: `module.${item.key}` }));
    expect(bind(wrapped, prefixed('module.')).stripped).toEqual([]);
    expect(bind(wrapped, prefixed('module.')).missing).toEqual([]);
  });

  it('counts an averaged model’s n_averaged as unexpected', () => {
    const binding = bind(state, prefixed('module.').set('n_averaged', tensor([], 'int64')));
    expect(binding.unexpected).toEqual(['n_averaged']);
    expect(binding.missing).toEqual([]);
  });

  it('fills in num_batches_tracked for old files, and only for those', () => {
    const rest = without('bn.num_batches_tracked');
    const old = bind(state, dict(rest));
    expect(old.missing).toEqual([]);
    expect(old.defaulted).toEqual(['bn.num_batches_tracked']);
    expect(old.matched.get('bn.num_batches_tracked')!.tensor).toMatchObject({
      shape: [],
      dtype: 'int64',
    });
    const recent = dict(rest);
    recent.attributes = dict({ _metadata: dict({ bn: dict({ version: 2n }) }) });
    expect(bind(state, recent).missing).toEqual(['bn.num_batches_tracked']);
    recent.attributes = dict({ _metadata: dict({ bn: dict({ version: 1n }) }) });
    expect(bind(state, recent).defaulted).toEqual(['bn.num_batches_tracked']);
  });

  it('takes the first element of a one-element vector for a scalar', () => {
    const binding = bind(
      state,
      dict({ ...weights, 'bn.num_batches_tracked': tensor([1], 'int64') }),
    );
    expect(binding.matched.get('bn.num_batches_tracked')!.tensor.shape).toEqual([]);
  });

  it('notes conversions', () => {
    const binding = bind(
      state,
      dict({ ...weights, 'fc.weight': tensor([2, 3], 'float16'), 'fc.bias': tensor([2], 'int32') }),
    );
    expect(binding.notes).toMatchObject([
      {
        severity: 'info',
        where: 'fc.weight',
        message: 'the file holds float16, the model takes float32',
      },
      {
        severity: 'warning',
        where: 'fc.bias',
        message: 'the file holds int32, the model takes float32',
      },
    ]);
  });

  it('lets the last of two tied keys win, and says so', () => {
    const tied = [spec('a', [2]), spec('b', [2], { tiedTo: 'a' })];
    const [first, second] = [tensor([2]), tensor([2])];
    expect(bind(tied, dict({ a: first, b: first })).notes).toEqual([]);
    const apart = bind(tied, dict({ a: first, b: second }));
    expect(apart.matched.get('a')!.tensor).toBe(second);
    expect(apart.notes).toMatchObject([{ severity: 'warning', where: 'b' }]);
    const half = bind(tied, dict({ a: first }));
    expect(half.missing).toEqual(['b']);
    expect(half.notes).toMatchObject([{ severity: 'info', where: 'b' }]);
  });
});

describe('findStateDicts', () => {
  const paths = (root: Value) => findStateDicts(root).map(({ path }) => path.join('/'));

  it('finds the root, or what lies under a usual name', () => {
    expect(paths(dict(weights))).toEqual(['']);
    expect(paths(dict({ epoch: 3n, ema: dict(weights), model: dict(weights) }))).toEqual([
      'model',
      'ema',
    ]);
    expect(
      paths(
        dict({
          ema_model: dict({ state_dict: dict(weights) }),
          generator: dict(weights),
          state_dict: dict(weights),
          history: list(dict(weights)),
        }),
      ),
    ).toEqual(['state_dict', 'generator', 'history/0', 'ema_model/state_dict']);
  });

  it('never takes the state of an optimizer', () => {
    const slots = dict({ step: tensor([]), exp_avg: tensor([2]), exp_avg_sq: tensor([2]) });
    const optimizer = dict({
      state: new Dict([[0n, slots]]),
      param_groups: list(dict({ lr: 0.1, params: list(0n) })),
    });
    const named = dict({ state: dict({ 'fc.weight': slots }), param_groups: list() });
    expect(paths(dict({ model: dict(weights), optimizer, other: named }))).toEqual(['model']);
    expect(paths(optimizer)).toEqual([]);
    expect(paths(dict({ optimizer_state: dict(weights) }))).toEqual([]);
  });

  it('is safe against cycles and does without recursion', () => {
    const loop = dict({ a: tensor([1]) });
    loop.set('self', loop);
    let deep: Dict = dict({ model: dict(weights), loop });
    for (let depth = 0; depth < 20_000; depth++) deep = dict({ x: deep });
    expect(findStateDicts(deep).length).toBe(1);
  });
});
