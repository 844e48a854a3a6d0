/** What a step on WebGPU sends up, and that it reads nothing back; that a run is repeatable there. */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Batch, TargetSpec } from '#lib/inputs/data/dataset.ts';
import { integers, normal } from '#lib/inputs/random.ts';
import { Optimizer } from '#lib/optim/optimizer.ts';
import type { Backend } from '#lib/runtime/backend.ts';
import * as tf from '#lib/runtime/tf.ts';
import { settle, Trainer } from '#lib/training/trainer.ts';
import { build } from '../../fixtures/built.ts';
import { useBackend } from '../lab.ts';

const COUNT = 4;
const models = {
  mlp: build(
    {
      init: 'self.m = nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.GELU(), nn.Dropout(0.2), nn.Linear(8, 3))',
      forward: 'self.m(x)',
    },
    { shape: [6] },
  ),
  cnn: build(
    {
      init: `self.conv = nn.Conv2d(1, 4, 3)
self.bn = nn.BatchNorm2d(4)
self.fc = nn.Linear(16, 3)`,
      forward: 'self.fc(torch.flatten(F.max_pool2d(F.relu(self.bn(self.conv(x))), 2), 1))',
    },
    { shape: [1, 6, 6] },
  ),
};
type ModelName = keyof typeof models;
const width = { mlp: 6, cnn: 36 };
const target: TargetSpec = { kind: 'class', classes: ['a', 'b', 'c'], shape: [] };

const batch = (name: ModelName, seed: number, count = COUNT): Batch => ({
  count,
  inputs: normal(count * width[name], seed),
  targets: integers(count, 3, seed),
});

async function setUp(name: ModelName) {
  const built = models[name];
  const model = await built.load();
  const options = { lr: 0.01, momentum: 0.9 };
  const optimizer = Optimizer.fresh({ name: 'SGD', options, groups: [] }, built.parameters);
  const trainer = new Trainer({
    model,
    optimizer,
    loss: {
      name: 'cross_entropy',
      labelSmoothing: 0.1,
      ignoreIndex: -100,
      classWeights: [1, 2, 3],
    },
    target,
    metrics: ['loss', 'accuracy', 'f1'],
    graphFor: built.graphFor,
    batchSize: COUNT,
  });
  const end = () => {
    trainer.dispose();
    optimizer.dispose();
    model.dispose();
  };
  return { model, trainer, end };
}

/** What goes from the host to the device while `run` runs, in its order. */
async function uploadsOf(run: () => Promise<void>): Promise<string[]> {
  const backend = tf.backend() as WebGPUBackend;
  const uploads: string[] = [];
  const upload = backend.uploadToGPU.bind(backend);
  const spy = vi.spyOn(backend, 'uploadToGPU').mockImplementation((dataId) => {
    const { dtype, shape, values, resource } = backend.tensorMap.get(dataId);
    if (values && !resource) uploads.push(`${dtype} [${(shape as number[]).join(', ')}]`);
    upload(dataId);
  });
  await run();
  spy.mockRestore();
  return uploads;
}

describe('a step on WebGPU', () => {
  let running: Backend;
  beforeAll(async () => {
    running = await useBackend('webgpu');
  }, 60_000);

  it.each([
    ['mlp', ['float32 [4, 6]', 'int32 [2]', 'int32 [4]', 'float32 [4]', 'float32 [4]']],
    ['cnn', ['float32 [4, 1, 6, 6]', 'int32 [4]', 'float32 [4]', 'float32 [4]']],
  ] as const)(
    'of an %s sends inputs, targets, mask and the numbers of the step',
    async (name, sent) => {
      const { trainer, end } = await setUp(name);
      const read = ['read', 'readSync'].map((it) => vi.spyOn(tf.backend(), it as 'read'));
      const pending = [await trainer.step(batch(name, 0)), await trainer.step(batch(name, 1))];
      const uploads = await uploadsOf(async () => {
        for (const seed of [2, 3]) pending.push(await trainer.step(batch(name, seed)));
      });
      expect([...uploads].sort()).toEqual([...sent, ...sent].sort());
      for (const it of read) expect(it).not.toHaveBeenCalled();
      await settle(pending);
      expect(read[0]).toHaveBeenCalledTimes(1);
      for (const it of read) it.mockRestore();
      running.check();
      end();
    },
  );

  it.each([
    [true, false],
    [false, true],
    [false, false],
  ])('adds up a long inner axis in one order (transposed: %s, %s)', async (first, second) => {
    const [rows, inner, columns] = [24, 4096, 40];
    const backend = tf.backend() as WebGPUBackend;
    const asked = vi.spyOn(backend, 'runWebGPUProgram');
    const before = tf.memory().numTensors;
    const [left, right] = [normal(rows * inner, 1), normal(inner * columns, 2)];
    const a = tf.tensor(left, first ? [inner, rows] : [rows, inner]);
    const b = tf.tensor(right, second ? [columns, inner] : [inner, columns]);
    const product = tf.matMul(a, b, first, second);
    // tfjs asks for the program that adds with atomics; it is never compiled.
    const keys = asked.mock.calls.map(([{ shaderKey }]) => shaderKey);
    asked.mockRestore();
    const isAtomic = (key: string) => key.startsWith('matMulSplitK_');
    expect(keys.filter(isAtomic)).toHaveLength(1);
    const { pipelineCache } = backend as unknown as { pipelineCache: Record<string, unknown> };
    expect(Object.keys(pipelineCache).filter(isAtomic)).toEqual([]);
    const values = await product.data();
    running.check();
    for (let place = 0; place < values.length; place += 97) {
      const [row, column] = [Math.floor(place / columns), place % columns];
      let sum = 0;
      for (let at = 0; at < inner; at++) {
        const x = left[first ? at * rows + row : row * inner + at]!;
        sum += x * right[second ? column * inner + at : at * columns + column]!;
      }
      // Of 4096 products of about one, in float32.
      expect(Math.abs(values[place]! - sum)).toBeLessThan(1e-3);
    }
    tf.dispose([a, b, product]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each(['mlp', 'cnn'] as const)(
    'of an %s gives the same bits for the same seed',
    async (name) => {
      const run = async (seed: number) => {
        const { model, trainer, end } = await setUp(name);
        model.seed = seed;
        const pending = [];
        for (const at of [1, 2, 3, 4])
          pending.push(await trainer.step(batch(name, at, at === 4 ? 3 : 4)));
        const losses = (await settle(pending)).map(({ sums }) => sums);
        const { floats } = await model.read();
        end();
        return { losses, floats };
      };
      const [first, again] = [await run(5), await run(5)];
      running.check();
      expect(again).toEqual(first);
      if (name === 'mlp') expect((await run(6)).floats).not.toEqual(first.floats);
    },
  );
});
