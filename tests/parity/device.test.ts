/** A GPU device that is lost in a run: it is made anew, and the run comes to the same numbers. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as tf from '#lib/runtime/tf.ts';
import type { RunSettings } from '#lib/training/settings.ts';
import { Lab } from '#lib/worker/lab.ts';
import type { TrainProgress } from '#lib/worker/protocol.ts';
import { installWebGPU } from '../dawn.ts';
import { tinySettings } from '../fixtures/tiny.ts';
import { unwrap } from './lab.ts';

const context = { signal: new AbortController().signal, progress: () => {} };
const input = { kind: 'example', split: 'test', index: 0 } as const;
const settings: RunSettings = {
  ...tinySettings,
  ...{ epochs: 2, batchSize: 250 },
  optimizer: { name: 'checkpoint', options: { lr: 0.01 } },
};

/** What a lost device looks like from inside: the page's own way to it is the driver's. */
function loseDevice(): void {
  (tf.backend() as unknown as { device: GPUDevice }).device.destroy();
}

async function openLinear(): Promise<Lab> {
  const lab = new Lab();
  const file = (name: string) => new File([readFileSync(`public/samples/linear/${name}`)], name);
  const text = await file('model.py').text();
  const data = { path: 'data.npz', file: file('data.npz') };
  unwrap(await lab.handlers.open({ file: file('linear.pth') }, context));
  unwrap(await lab.handlers.source({ files: [{ name: 'model.py', text }] }, context));
  const model = { candidate: 'Linear', arguments: {}, stateDict: 0 };
  unwrap(await lab.handlers.build(model, context));
  unwrap(await lab.handlers.data({ files: [data], wish: {} }, context));
  return lab;
}

it.each(['first', 'second'])('goes on when it is lost in the %s epoch', async (when) => {
  expect(await installWebGPU()).toBeNull();
  const lab = await openLinear();
  const run = { settings, from: 'checkpoint' } as const;
  const whole = unwrap(await lab.handlers.train(run, context));
  const { run: before } = unwrap(await lab.handlers.run({ input, top: 2 }, context));
  expect(before.backend.name).toBe('webgpu');

  let lost = 0;
  const progress = ({ validation, train }: TrainProgress) => {
    const isDue = when === 'first' ? train.length > 0 : validation.length > 0;
    if (isDue && lost++ === 0) loseDevice();
  };
  const broken = unwrap(await lab.handlers.train(run, { ...context, progress }));
  expect(lost).toBeGreaterThan(1);
  expect(broken.summary.last).toEqual(whole.summary.last);
  expect(broken.summary.best).toEqual(whole.summary.best);
  const { run: after } = unwrap(await lab.handlers.run({ input, top: 2 }, context));
  expect(after.backend.name).toBe('webgpu');
  expect(after.outputs).toEqual(before.outputs);
});

it('ends with the reason when one device after the other is lost', async () => {
  const lab = await openLinear();
  const progress = () => loseDevice();
  const run = { settings, from: 'checkpoint' } as const;
  const broken = await lab.handlers.train(run, { ...context, progress });
  expect(broken).toMatchObject({ ok: false, findings: [{ code: 'backend-failed' }] });
});
