import { beforeAll, describe, expect, it } from 'vitest';
import { floats, tinyModel, tinyParameters } from '../../../tests/fixtures/tiny.ts';
import { matchParameters, parseOptimizer, type OptimizerName } from '#lib/checkpoint/optimizer.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { Dict, dict, isTensor, list, type Value } from '#lib/checkpoint/value.ts';
import { startBackend } from '#lib/runtime/backend.ts';
import * as tf from '#lib/runtime/tf.ts';
import { Optimizer } from './optimizer.ts';
import type { OptimizerSettings } from './settings.ts';

beforeAll(async () => {
  await startBackend(['cpu']);
});

const parameters = tinyParameters;
const fresh = (name: OptimizerName, options: OptimizerSettings['options'] = {}) =>
  Optimizer.fresh({ name, options, groups: [] }, parameters);

async function restore(name: OptimizerName, saved: Value): Promise<Optimizer> {
  const parsed = parseOptimizer(saved)!;
  const match = matchParameters(parsed, parameters);
  if (!match.ok) throw new Error(match.findings[0]!.message);
  return Optimizer.restore(name, parsed, match.keys);
}

/** Everything of a value as plain data, tensors by their bytes. */
async function content(value: Value): Promise<unknown> {
  if (isTensor(value)) return [value.dtype, value.shape, [...(await readTensor(value))]];
  if (value instanceof Dict) {
    const entries = [...value.entries()];
    return Promise.all(entries.map(async ([key, item]) => [key, await content(item)]));
  }
  const items = typeof value === 'object' && value?.kind === 'list' ? value.items : null;
  return items ? Promise.all(items.map(content)) : value;
}

const ones = () =>
  new Map(parameters.map(({ key, shape }): [string, tf.Tensor] => [key, tf.ones([...shape])]));

describe('an optimizer', () => {
  it.each<[OptimizerName, OptimizerSettings['options']]>([
    ['SGD', { momentum: 0.9 }],
    ['SGD', {}],
    ['Adam', { amsgrad: true }],
    ['AdamW', { weight_decay: 0.1 }],
    ['NAdam', { decoupled_weight_decay: true, weight_decay: 0.1 }],
    ['RAdam', {}],
    ['Adamax', { maximize: true }],
    ['RMSprop', { momentum: 0.9, centered: true }],
    ['Adagrad', { initial_accumulator_value: 0.5 }],
    ['Adadelta', { capturable: true, foreach: false, differentiable: true }],
  ])('%s %j goes through its state_dict without a change, and back', async (name, options) => {
    const before = tf.memory().numTensors;
    const model = await tinyModel();
    const optimizer = fresh(name, options);
    const gradients = ones();
    for (let step = 0; step < 3; step++) optimizer.step(model, gradients);
    const saved = await optimizer.stateDict();
    const again = await restore(name, saved);
    expect(await content(await again.stateDict())).toEqual(await content(saved));
    optimizer.dispose();
    again.dispose();
    model.dispose();
    tf.dispose([...gradients.values()]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('keeps groups, their ids, names and what belongs to schedulers', async () => {
    const base = ((await fresh('AdamW').stateDict()).get('param_groups') as { items: Dict[] })
      .items[0]!;
    const make = ({ params, ...entries }: Record<string, Value>) => {
      const group = new Dict([...base.entries(), ...Object.entries(entries)]);
      group.delete('params');
      return group.set('params', params!);
    };
    const saved = dict({
      state: new Dict([[7n, dict({ step: floats([], 2), exp_avg: floats([3], 1, 2, 3) })]]),
      param_groups: list(
        make({ params: list(7n, 1n), lr: 0.5, weight_decay: 0.1, initial_lr: 1 }),
        make({ params: list(2n, 3n), lr: 0.5, weight_decay: 0n, group_name: 'head' }),
      ),
    });
    const optimizer = await restore('AdamW', saved);
    expect(await content(await optimizer.stateDict())).toEqual(await content(saved));

    optimizer.configure({ lr: 0.25, weight_decay: 0.1 });
    const groups = (await optimizer.stateDict()).get('param_groups') as { items: Dict[] };
    const option = (key: string) => groups.items.map((it) => it.get(key));
    expect(option('lr')).toEqual([0.25, 0.25]);
    expect(option('weight_decay')).toEqual([0.1, 0n]);
    optimizer.configure({ weight_decay: 0.2 });
    const after = (await optimizer.stateDict()).get('param_groups') as { items: Dict[] };
    expect(after.items.map((it) => it.get('weight_decay'))).toEqual([0.2, 0n]);
    optimizer.dispose();
  });

  it.each<[string, Record<string, Value>, Record<string, Value>, string]>([
    ['an unknown option', { rho: 0.9 }, {}, 'SGD has no option rho in param_groups'],
    ['a tensor for a number', { lr: floats([], 1) }, {}, 'lr in param_groups is no number'],
    ['a number for a bool', { nesterov: 1n }, {}, 'nesterov in param_groups is no bool'],
    ['nesterov without momentum', { nesterov: true }, {}, 'nesterov needs a momentum'],
    [
      'a state that is no tensor',
      {},
      { buffer: floats([3], 1, 2, 3), other: 'x' },
      'the state other of bn.weight is no tensor',
    ],
    ['a step that is no number', {}, { step: 'x' }, 'the state step of bn.weight is no tensor'],
  ])('refuses %s and leaves nothing behind', async (_, options, state, message) => {
    const start = await fresh('SGD').stateDict();
    const [group] = (start.get('param_groups') as { items: Dict[] }).items;
    const saved = dict({
      state: new Dict([[0n, dict(state)]]),
      param_groups: list(new Dict([...group!.entries(), ...Object.entries(options)])),
    });
    const before = tf.memory().numTensors;
    await expect(restore('SGD', saved)).rejects.toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each<[OptimizerName, OptimizerSettings['options'], string]>([
    ['SGD', { betas: 1 }, 'SGD has no option betas'],
    ['SGD', { momentum: -0.1 }, 'momentum of SGD is -0.1, expected 0 or more'],
    ['SGD', { momentum: 0.9, dampening: 0.1, nesterov: true }, 'nesterov needs a momentum'],
    ['Adam', { lr: -1 }, 'lr of Adam is -1, expected 0 or more'],
    ['Adam', { lr: NaN }, 'lr of Adam is NaN, expected 0 or more'],
    ['Adam', { lr: [1] }, 'lr in param_groups is no number'],
    ['Adam', { betas: [0.9, 1] }, 'betas of Adam is 1, expected 0 or more and less than 1'],
    ['Adam', { betas: [0.9] }, 'betas in param_groups are no two floats'],
    ['Adam', { amsgrad: 1 }, 'amsgrad in param_groups is no bool'],
    ['Adam', { fused: true, foreach: true }, 'fused of Adam goes neither with foreach'],
    ['AdamW', { decoupled_weight_decay: false }, 'decoupled_weight_decay of AdamW is false'],
    ['NAdam', { momentum_decay: -1 }, 'momentum_decay of NAdam is -1, expected 0 or more'],
    ['RMSprop', { alpha: -1 }, 'alpha of RMSprop is -1, expected 0 or more'],
    ['Adagrad', { lr_decay: -1 }, 'lr_decay of Adagrad is -1, expected 0 or more'],
    ['Adadelta', { rho: 1.1 }, 'rho of Adadelta is 1.1, expected 0 to 1'],
    ['Adamax', { weight_decay: -1 }, 'weight_decay of Adamax is -1, expected 0 or more'],
    ['RAdam', { eps: -1 }, 'eps of RAdam is -1, expected 0 or more'],
  ])('refuses a fresh %s with %j', (name, options, message) => {
    const before = tf.memory().numTensors;
    expect(() => fresh(name, options)).toThrow(message);
    const groups = [{ parameters: ['fc.*'], options }];
    expect(() => Optimizer.fresh({ name, options: {}, groups }, parameters)).toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('divides parameters among groups, the first that fits', async () => {
    const groups: OptimizerSettings['groups'] = [
      { parameters: ['*.bias', '!fc.*'], options: { weight_decay: 0 } },
      { parameters: ['fc.*'], options: { lr: 0.5 } },
    ];
    const settings = { name: 'Adam' as const, options: { weight_decay: 0.1 }, groups };
    const optimizer = Optimizer.fresh(settings, parameters);
    expect(optimizer.groups.map((group) => group.get('param_names'))).toEqual([
      list('bn.bias'),
      list('fc.weight', 'fc.bias'),
      list('bn.weight'),
    ]);
    expect(optimizer.groups.map((group) => group.get('params'))).toEqual([
      list(0n),
      list(1n, 2n),
      list(3n),
    ]);
    expect(optimizer.groups.map((group) => group.get('weight_decay'))).toEqual([0, 0.1, 0.1]);
    expect(optimizer.groups.map((group) => group.get('lr'))).toEqual([0.001, 0.5, 0.001]);

    const model = await tinyModel();
    const gradients = ones();
    optimizer.step(model, gradients);
    const again = await restore('Adam', await optimizer.stateDict());
    expect(await content(await again.stateDict())).toEqual(
      await content(await optimizer.stateDict()),
    );
    again.dispose();
    optimizer.dispose();
    model.dispose();
    tf.dispose([...gradients.values()]);

    const none = [{ parameters: ['x'], options: {} }];
    expect(() => Optimizer.fresh({ ...settings, groups: none }, parameters)).toThrow(
      'no parameter is left for the group x',
    );
  });

  it('takes what a scheduler sets in its groups, and saves it before params', async () => {
    const model = await tinyModel();
    const optimizer = fresh('SGD', { lr: 0.5 });
    const gradients = ones();
    const [group] = optimizer.groups;
    group!.set('initial_lr', 0.5).set('lr', 2);
    optimizer.step(model, gradients);
    expect([...(await model.read()).floats.get('fc.bias')!]).toEqual([-2, -2]);
    const saved = ((await optimizer.stateDict()).get('param_groups') as { items: Dict[] })
      .items[0]!;
    expect([...saved.keys()].slice(-2)).toEqual(['initial_lr', 'params']);
    expect(saved.get('lr')).toBe(2);
    optimizer.dispose();
    model.dispose();
    tf.dispose([...gradients.values()]);
  });

  it('has the states of Adagrad before its first step, others not', async () => {
    const adagrad = fresh('Adagrad', { initial_accumulator_value: 0.5 });
    const states = (await adagrad.stateDict()).get('state') as Dict;
    expect(states.size).toBe(parameters.length);
    expect(await content(states.get(3n)!)).toEqual(
      await content(dict({ step: floats([], 0), sum: floats([2], 0.5, 0.5) })),
    );
    adagrad.dispose();
    expect(((await fresh('Adam').stateDict()).get('state') as Dict).size).toBe(0);
  });

  it.each<[OptimizerName, Record<string, Value>, string]>([
    ['Adam', { exp_avg: floats([3], 1, 2, 3) }, 'the state step of bn.weight is missing'],
    ['NAdam', { step: floats([], 1) }, 'the state mu_product of bn.weight is missing'],
    ['NAdam', { step: null }, 'the state step of bn.weight is no number'],
    ['Adam', { step: 1n }, 'the state exp_avg of bn.weight is missing'],
  ])('refuses what %s has no use for, or lacks: %o', async (name, state, message) => {
    const [group] = ((await fresh(name).stateDict()).get('param_groups') as { items: Dict[] })
      .items;
    const saved = dict({ state: new Dict([[0n, dict(state)]]), param_groups: list(group!) });
    const before = tf.memory().numTensors;
    const run = async () => {
      const model = await tinyModel();
      const gradients = ones();
      let optimizer: Optimizer | undefined;
      try {
        optimizer = await restore(name, saved);
        optimizer.step(model, gradients);
      } finally {
        optimizer?.dispose();
        model.dispose();
        tf.dispose([...gradients.values()]);
      }
    };
    await expect(run()).rejects.toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
  });
});
