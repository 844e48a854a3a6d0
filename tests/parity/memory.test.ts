/** What a model takes of the GPU's memory, it gives back when it is closed. */
import { expect, it } from 'vitest';
import type { Model } from '#lib/runtime/model.ts';
import { gpuBytes } from '#lib/runtime/gpu_memory.ts';
import * as tf from '#lib/runtime/tf.ts';
import { buildModel, open, unwrap, upload, useBackend } from './lab.ts';

const shape = [1, 1, 28, 28];

/** A forward pass and a training step. */
async function use(model: Model, { module }: ReturnType<typeof buildModel>): Promise<void> {
  const values = new Float32Array(28 * 28).fill(0.5);
  const spec = [{ shape, dtype: 'float32' as const }];
  const trace = (training: boolean) => unwrap(module.trace(spec, { training })).graph;
  await model.predict(trace(false), [{ values, shape }]);
  const x = tf.tensor(values, shape);
  const { loss, extra, gradients } = model.gradients(trace(true), [x], ([output]) => ({
    loss: tf.sum(output!) as tf.Scalar,
    extra: tf.mean(output!),
  }));
  await loss.data();
  tf.dispose([x, loss, extra, ...[...gradients.values()].filter((it) => it !== null)]);
}

it('is back at the level before after ten models', async () => {
  const backend = await useBackend('webgpu');
  const checkpoint = await open('public/samples/digits/last.pth');
  const bound = buildModel(checkpoint, 'public/samples/digits/model.py', 'DigitsCNN');
  const weights = bound.module.state.reduce(
    (bytes, { shape, dtype }) =>
      bytes + (dtype === 'float32' ? 4 * shape.reduce((a, b) => a * b, 1) : 0),
    0,
  );
  const before = { bytes: gpuBytes(), tensors: tf.memory().numTensors };
  for (let times = 0; times < 10; times++) {
    const model = await upload(bound);
    await use(model, bound);
    expect(gpuBytes()).toBeGreaterThan(before.bytes + weights);
    model.dispose();
    expect({ bytes: gpuBytes(), tensors: tf.memory().numTensors }).toEqual(before);
  }
  backend.check();
});
