/** Thousands of steps: the heap of JavaScript, the tensors and the GPU's buffers stay as they are. */
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import * as tf from '#lib/runtime/tf.ts';
import type { RunSettings } from '#lib/training/settings.ts';
import { Lab } from '#lib/worker/lab.ts';
import type { TrainProgress } from '#lib/worker/protocol.ts';
import { installWebGPU } from '../../dawn.ts';
import { tinySettings } from '../../fixtures/tiny.ts';
import { unwrap } from '../lab.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const context = { signal: new AbortController().signal, progress: () => {} };
/** Steps of an epoch: 16 of the sample's 400 examples each. */
const PER_EPOCH = 25;
const settings: RunSettings = {
  ...tinySettings,
  batchSize: 16,
  scheduler: { name: 'CosineAnnealingLR', options: { T_max: 2000 }, interval: 'step' },
  clip: { kind: 'norm', maxNorm: 1, normType: 2 },
  ema: { decay: 0.99 },
};
/** Bytes that caches and the engine's own bookkeeping may move by. */
const SLACK = 2 ** 20;

// The software adapter is slow: WEIGHTROOM_LONG=2000 makes as many steps on it.
it.each([
  ['cpu', 2000],
  ['webgpu', Number(process.env.WEIGHTROOM_LONG ?? 100)],
])(
  'memory is flat on %s over %i steps',
  async (backend, steps) => {
    const epochs = steps / PER_EPOCH;
    if (backend === 'webgpu') expect(await installWebGPU()).toBeNull();
    const lab = new Lab();
    const file = (name: string) => new File([readFileSync(`public/samples/linear/${name}`)], name);
    const files = [{ name: 'model.py', text: await file('model.py').text() }];
    unwrap(await lab.handlers.open({ file: file('linear.pth') }, context));
    unwrap(await lab.handlers.source({ files }, context));
    const model = { candidate: 'Linear', arguments: {}, stateDict: 0 };
    unwrap(await lab.handlers.build(model, context));
    const data = [{ path: 'data.npz', file: file('data.npz') }];
    unwrap(await lab.handlers.data({ files: data, wish: {} }, context));

    const seen: { step: number; heap: number; tensors: number; bytes: number }[] = [];
    const progress = ({ validation, step }: TrainProgress) => {
      if (validation.length === 0) return;
      collect();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      const { numTensors, numBytes } = tf.memory();
      seen.push({ step, heap: heapUsed + arrayBuffers, tensors: numTensors, bytes: numBytes });
    };
    const run = { settings: { ...settings, epochs }, from: 'checkpoint' } as const;
    unwrap(await lab.handlers.train(run, { ...context, progress }));
    expect(tf.getBackend()).toBe(backend);
    expect(seen.at(-1)!.step).toBe(steps);

    const warm = seen.slice(epochs / 4);
    const first = warm[0]!;
    const last = warm.at(-1)!;
    console.log(
      `${backend}: steps ${first.step} to ${last.step}: heap ${first.heap} to ${last.heap} bytes, ` +
        `${first.tensors} to ${last.tensors} tensors of ${first.bytes} to ${last.bytes} bytes`,
    );
    expect(new Set(warm.map(({ tensors, bytes }) => `${tensors} of ${bytes}`)).size).toBe(1);
    expect(last.heap - first.heap).toBeLessThan(SLACK);
  },
  600_000,
);
