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
        make({ params: list(2n, 3n), lr: 0.5, weight_decay: 0n }),
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

  it('has only the options of its kind', () => {
    expect(() => fresh('SGD', { betas: 1 })).toThrow('SGD has no option betas');
  });
});
