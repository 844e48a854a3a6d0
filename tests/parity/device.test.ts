/** A GPU device that is lost in a run: said in a sentence, then made anew, nothing kept is lost. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as tf from '#lib/runtime/tf.ts';
import { Lab } from '#lib/worker/lab.ts';
import { installWebGPU } from '../dawn.ts';
import { unwrap } from './lab.ts';

const context = { signal: new AbortController().signal, progress: () => {} };
const input = { kind: 'example', split: 'test', index: 0 } as const;
const settings = {
  from: 'last',
  epochs: 1,
  batchSize: 100,
  learningRate: 0.01,
  weightDecay: 0,
  seed: 1,
  optimizer: 'checkpoint',
  loss: 'cross_entropy',
  validationShare: 0,
} as const;

/** What a lost device looks like from inside: the page's own way to it is the driver's. */
function loseDevice(): void {
  (tf.backend() as unknown as { device: GPUDevice }).device.destroy();
}

it('goes on from the last kept state', async () => {
  expect(await installWebGPU()).toBeNull();
  const lab = new Lab();
  const file = (name: string) => new File([readFileSync(`public/samples/linear/${name}`)], name);
  const text = await file('model.py').text();
  unwrap(await lab.handlers.open({ file: file('linear.pth') }, context));
  unwrap(await lab.handlers.source({ files: [{ name: 'model.py', text }] }, context));
  const model = { candidate: 'Linear', arguments: {}, stateDict: 0 };
  unwrap(await lab.handlers.build(model, context));
  unwrap(await lab.handlers.data({ file: file('data.npz') }, context));
  const first = unwrap(await lab.handlers.train(settings, context));
  const { run: before } = unwrap(await lab.handlers.run({ input, top: 2 }, context));
  expect(before.backend.name).toBe('webgpu');

  // In the middle of a run: it breaks off, and says why.
  let lost = false;
  const progress = () => {
    if (!lost) loseDevice();
    lost = true;
  };
  const broken = await lab.handlers.train({ ...settings, epochs: 50 }, { ...context, progress });
  expect(broken).toMatchObject({ ok: false, findings: [{ code: 'backend-failed' }] });

  // The next call has a new device and the kept weights and optimizer.
  const { run: after } = unwrap(await lab.handlers.run({ input, top: 2 }, context));
  expect(after.backend.name).toBe('webgpu');
  expect(after.outputs).toEqual(before.outputs);
  const more = unwrap(await lab.handlers.train(settings, context));
  expect(more.summary.last!.epoch).toBe(first.summary.last!.epoch + 1);
});
