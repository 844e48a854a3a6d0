/**
 * A training loop against the same in PyTorch: accumulated gradients, with some left at the end,
 * clipping, GradScaler with a step that is left out, and the moving average of the weights.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toFloat32 } from '#lib/checkpoint/elements.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import type { Dict, List, Value } from '#lib/checkpoint/value.ts';
import { Ema } from '#lib/optim/ema.ts';
import { GradScaler } from '#lib/optim/grad_scaler.ts';
import { Optimizer } from '#lib/optim/optimizer.ts';
import type { Backend } from '#lib/runtime/backend.ts';
import * as tf from '#lib/runtime/tf.ts';
import { metricOf } from '#lib/training/metrics.ts';
import type { RunSettings, ScalerSettings } from '#lib/training/settings.ts';
import { settle, Trainer } from '#lib/training/trainer.ts';
import { build } from '../../fixtures/built.ts';
import { runPython } from '../../python.ts';
import { backends, open, relativeError, useBackend } from '../lab.ts';

interface Case {
  /** Examples of each batch, the first being whole. */
  readonly batches: readonly number[];
  readonly accumulate: number;
  readonly clip?: NonNullable<RunSettings['clip']>;
  readonly scaler?: ScalerSettings;
  readonly ema?: number;
  /** The batch that has an infinite input. */
  readonly infinite?: number;
}

const scaler = { init_scale: 1024, growth_factor: 2, backoff_factor: 0.5, growth_interval: 2 };
const cases: Record<string, Case> = {
  'a step for each batch': { batches: [4, 4, 4, 2], accumulate: 1 },
  'three batches a step, and one left': { batches: [4, 4, 4, 4, 4, 4, 3], accumulate: 3 },
  'clipping by norm': {
    batches: [4, 4, 4, 4, 4],
    accumulate: 2,
    clip: { kind: 'norm', maxNorm: 0.3, normType: 2 },
  },
  'clipping by value': {
    batches: [4, 4, 4],
    accumulate: 1,
    clip: { kind: 'value', clipValue: 0.05 },
  },
  'a scaler, with a step left out': {
    batches: [4, 4, 4, 4, 4, 4, 4],
    accumulate: 1,
    scaler,
    infinite: 3,
    clip: { kind: 'norm', maxNorm: 0.5, normType: 2 },
    ema: 0.9,
  },
  'all of it': {
    batches: [4, 4, 4, 4, 1],
    accumulate: 2,
    scaler,
    clip: { kind: 'norm', maxNorm: 0.2, normType: 2 },
    ema: 0.5,
  },
};

const net = build(
  {
    init: 'self.m = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.LayerNorm(8), nn.Linear(8, 3))',
    forward: 'self.m(x)',
  },
  { shape: [6] },
);

const BOUND = { cpu: 2e-6, webgpu: 5e-6, webgl: 5e-6 };

const folder = mkdtempSync(join(tmpdir(), 'weightroom-loop-'));
afterAll(() => rmSync(folder, { recursive: true }));
let answers: List;
beforeAll(async () => {
  const file = join(folder, 'answers.pt');
  await runPython('tests/judge/steps.py', [file], { input: JSON.stringify(Object.values(cases)) });
  answers = (await open(file)).root as List;
}, 60_000);

const at = (value: Value, ...keys: string[]) =>
  keys.reduce((dict, key) => (dict as Dict).get(key)!, value);
const numbers = async (value: Value) => {
  const tensor = value as Tensor;
  return Float32Array.from(toFloat32(await readTensor(tensor), tensor.dtype));
};

describe.each(backends)('%s', (backend) => {
  let running: Backend;
  beforeAll(async () => {
    running = await useBackend(backend);
  }, 60_000);

  const table = Object.entries(cases).map(([name, it], number) => ({ name, number, it }));

  it.each(table)('$name', async ({ number, it }) => {
    const answer = answers.items[number]!;
    const before = tf.memory().numTensors;
    const state = [...(at(answer, 'state') as Dict).entries()] as [string, Tensor][];
    const model = await net.load(new Map(state.map(([key, value]) => [`m.${key}`, value])));
    const options = { lr: 0.1, momentum: 0.9 };
    const optimizer = Optimizer.fresh({ name: 'SGD', options, groups: [] }, net.parameters);
    const scaler = it.scaler ? new GradScaler(it.scaler) : null;
    const ema = it.ema === undefined ? null : new Ema(it.ema);
    const trainer = new Trainer({
      model,
      optimizer,
      loss: { name: 'cross_entropy', labelSmoothing: 0, ignoreIndex: -100, classWeights: null },
      target: { kind: 'class', classes: ['a', 'b', 'c'], shape: [] },
      metrics: ['loss'],
      graphFor: net.graphFor,
      batchSize: it.batches[0]!,
      accumulate: it.accumulate,
      clip: it.clip ?? null,
      scaler,
      ema,
    });
    const pending = [];
    for (const [batch, count] of it.batches.entries()) {
      const [inputs, targets] = ['inputs', 'targets'].map(
        (key) => (at(answer, key) as List).items[batch]!,
      );
      const labels = Int32Array.from(await numbers(targets!));
      pending.push(await trainer.step({ count, inputs: await numbers(inputs!), targets: labels }));
    }
    await trainer.flush();
    const losses = (await settle(pending)).map(({ sums }) => metricOf('loss', sums));
    running.check();

    const judge = async (place: string, values: ArrayLike<number>, ...keys: string[]) => {
      const [single, double] = await Promise.all(
        ['single', 'double'].map((precision) => numbers(at(answer, precision, ...keys))),
      );
      const bound = Math.max(BOUND[backend], 4 * relativeError(single!, double!));
      expect(relativeError(values, double!), place).toBeLessThanOrEqual(bound);
    };
    const expected = await numbers(at(answer, 'double', 'losses'));
    losses.forEach((loss, batch) => {
      expect(Math.abs(loss - expected[batch]!), `loss ${batch}`).toBeLessThan(5e-6);
    });
    const { floats } = await model.read();
    for (const [key] of state) await judge(key, floats.get(`m.${key}`)!, 'state', key);
    const averages = await ema?.read(model);
    for (const [key] of averages ? state : []) {
      await judge(`average of ${key}`, averages!.floats.get(`m.${key}`)!, 'ema', key);
    }
    expect(scaler?.scale).toEqual(scaler ? at(answer, 'single', 'scaler', 'scale') : undefined);
    for (const part of [trainer, optimizer, ema, model]) part?.dispose();
    expect(tf.memory().numTensors, 'tensors left behind').toBe(before);
  });
});
