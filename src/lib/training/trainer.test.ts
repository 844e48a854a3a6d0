import { beforeAll, describe, expect, it, vi } from 'vitest';
import { build, type Built } from '../../../tests/fixtures/built.ts';
import type { Batch, TargetSpec } from '#lib/inputs/data/dataset.ts';
import { integers, normal } from '#lib/inputs/random.ts';
import { Optimizer } from '#lib/optim/optimizer.ts';
import { startBackend } from '#lib/runtime/backend.ts';
import type { Model } from '#lib/runtime/model.ts';
import * as tf from '#lib/runtime/tf.ts';
import { addSums, metricOf } from './metrics.ts';
import type { OptimizerSettings } from './settings.ts';
import { settle, Trainer, type TrainerParts } from './trainer.ts';

beforeAll(async () => {
  await startBackend(['cpu']);
});

const target: TargetSpec = { kind: 'class', classes: ['a', 'b', 'c'], shape: [] };
const loss = {
  name: 'cross_entropy',
  labelSmoothing: 0,
  ignoreIndex: -100,
  classWeights: null,
} as const;

const plain = build(
  {
    init: 'self.m = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))',
    forward: 'self.m(x)',
  },
  { shape: [4] },
);
const dropping = build(
  {
    init: 'self.m = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.Dropout(0.5), nn.Linear(8, 3))',
    forward: 'self.m(x)',
  },
  { shape: [4] },
);
const normalising = build(
  {
    init: 'self.m = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 3))',
    forward: 'self.m(x)',
  },
  { shape: [4] },
);

function batch(count: number, seed: number): Batch {
  return { count, inputs: normal(4 * count, seed), targets: integers(count, 3, seed) };
}

const part = ({ inputs, targets }: Batch, from: number, to: number): Batch => ({
  count: to - from,
  inputs: inputs.slice(4 * from, 4 * to),
  targets: targets.slice(from, to),
});

const sgd: OptimizerSettings = { name: 'SGD', options: { lr: 0.5 }, groups: [] };

async function setUp(built: Built, options: Partial<TrainerParts> & { seed?: number } = {}) {
  const model = await built.load();
  model.seed = options.seed ?? 0;
  const optimizer = Optimizer.fresh(sgd, built.parameters);
  const trainer = new Trainer({
    model,
    optimizer,
    loss,
    target,
    metrics: ['loss', 'accuracy'],
    graphFor: built.graphFor,
    batchSize: 8,
    ...options,
  });
  const end = () => {
    trainer.dispose();
    optimizer.dispose();
    model.dispose();
  };
  return { model, trainer, end };
}

/** All weights one behind the other. */
async function weights(model: Model): Promise<number[]> {
  const { floats } = await model.read();
  return [...floats.values()].flatMap((values) => [...values]);
}

function expectClose(a: readonly number[], b: readonly number[]): void {
  expect(a).toHaveLength(b.length);
  a.forEach((value, at) => expect(Math.abs(value - b[at]!)).toBeLessThan(1e-6));
}

async function train(
  built: Built,
  batches: readonly Batch[],
  options: Parameters<typeof setUp>[1] = {},
) {
  const { model, trainer, end } = await setUp(built, options);
  const pending = [];
  for (const each of batches) pending.push(await trainer.step(each));
  const isLate = await trainer.flush();
  const settled = await settle(pending);
  const after = await weights(model);
  end();
  return { after, isLate, settled };
}

describe('a short batch', () => {
  it.each([
    ['examples stay apart', plain, 8],
    ['examples stay apart, with the same masks', dropping, 8],
    ['BatchNorm mixes them', normalising, 5],
  ] as const)('gives the same step where %s', async (_, built, size) => {
    const short = batch(5, 1);
    const { model, trainer, end } = await setUp(built);
    const run = vi.spyOn(model, 'gradients');
    const [filled] = await settle([await trainer.step(short)]);
    const [graph] = run.mock.calls[0]!;
    expect(graph.nodes[graph.inputs[0]!]!.shape[0]).toBe(size);
    const after = await weights(model);
    end();
    const own = await train(built, [short], { batchSize: 5 });
    expectClose(after, own.after);
    expect(filled!.count).toBe(5);
    expect(filled!.sums.hits).toEqual(own.settled[0]!.sums.hits);
    expect(metricOf('loss', filled!.sums)).toBeCloseTo(metricOf('loss', own.settled[0]!.sums), 6);
  });

  it('counts in evaluation what is no padding, BatchNorm too', async () => {
    const { trainer, end } = await setUp(normalising);
    const all = batch(8, 2);
    const [whole, ...parts] = await settle([
      trainer.evaluate(all),
      trainer.evaluate(part(all, 0, 5)),
      trainer.evaluate(part(all, 5, 8)),
    ]);
    const sums = parts.map((it) => it.sums).reduce(addSums);
    expect(sums.hits).toEqual(whole!.sums.hits);
    expect(metricOf('loss', sums)).toBeCloseTo(metricOf('loss', whole!.sums), 6);
    end();
  });
});

describe('metrics', () => {
  it('of training and evaluation are the same for the same weights', async () => {
    const metrics = ['loss', 'accuracy', 'f1'] as const;
    const { trainer, end } = await setUp(plain, { metrics, optimizer: { step() {} } });
    const given = batch(8, 4);
    const [trained, evaluated] = await settle([await trainer.step(given), trainer.evaluate(given)]);
    expect(Object.keys(trained!.sums)).toEqual(['loss', 'hits', 'matches']);
    expect(Object.keys(evaluated!.sums)).toEqual(['loss', 'hits', 'confusion']);
    for (const name of metrics) {
      expect(metricOf(name, trained!.sums)).toBe(metricOf(name, evaluated!.sums));
    }
    end();
  });
});

describe('accumulation', () => {
  const all = batch(8, 3);

  it('takes one step of several batches', async () => {
    const halves = [part(all, 0, 4), part(all, 4, 8)];
    const whole = await train(plain, [all]);
    const { after, settled, isLate } = await train(plain, halves, { accumulate: 2, batchSize: 4 });
    expect(settled.map(({ stepped }) => stepped)).toEqual([false, true]);
    expect(isLate).toBe(false);
    expectClose(after, whole.after);
  });

  it('takes what is left at the end, still divided by the number of batches', async () => {
    const before = await train(plain, []);
    const whole = await train(plain, [all]);
    const { after, isLate } = await train(plain, [all], { accumulate: 4 });
    expect(isLate).toBe(true);
    const change = ({ after }: { after: number[] }) =>
      after.map((it, at) => it - before.after[at]!);
    expectClose(
      change({ after }).map((it) => 4 * it),
      change(whole),
    );
  });
});

describe('a run', () => {
  it('is the same to the bit for the same seed, and another for another', async () => {
    const batches = Array.from({ length: 5 }, (_, at) => batch(8, at));
    const run = (seed: number) => train(dropping, batches, { seed });
    const [first, again, other] = [await run(3), await run(3), await run(4)];
    expect(again).toEqual(first);
    expect(other.after).not.toEqual(first.after);
  });

  it('holds as many tensors after 200 steps as after one', async () => {
    const empty = tf.memory().numTensors;
    const { trainer, end } = await setUp(dropping, { accumulate: 3 });
    const counts = new Set<number>();
    for (let at = 0; at < 200; at++) {
      await settle([await trainer.step(batch(at % 10 === 9 ? 5 : 8, at))]);
      await settle([trainer.evaluate(batch(3, at))]);
      if (at % 3 === 2) counts.add(tf.memory().numTensors);
    }
    expect(counts.size).toBe(1);
    end();
    expect(tf.memory().numTensors).toBe(empty);
  });
});

describe('refused are', () => {
  it.each<[string, Partial<TrainerParts>, Batch, string]>([
    [
      'a label that no class has',
      {},
      { ...batch(2, 1), targets: Int32Array.of(0, 3) },
      "loss: the label 3 is outside of the model's 3 classes",
    ],
    ['more examples than a batch has', {}, batch(9, 1), 'training: 9 examples in a batch of 8'],
    [
      'a loss that does not fit the outputs',
      { target: { ...target, classes: ['a', 'b', 'c', 'd'] } },
      batch(8, 1),
      'loss: cross_entropy of 4 classes takes an output [8, 4], the model gives [8, 3]',
    ],
  ])('%s, and nothing is left behind', async (_, options, given, message) => {
    const { trainer, end } = await setUp(plain, options);
    const before = tf.memory().numTensors;
    await expect(trainer.step(given)).rejects.toThrow(message);
    expect(() => trainer.evaluate(given)).toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
    end();
  });
});
