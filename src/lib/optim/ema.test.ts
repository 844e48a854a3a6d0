import { beforeAll, expect, it } from 'vitest';
import { tinyGraph, tinyModel } from '../../../tests/fixtures/tiny.ts';
import { startBackend } from '#lib/runtime/backend.ts';
import type { Model } from '#lib/runtime/model.ts';
import * as tf from '#lib/runtime/tf.ts';
import { Ema } from './ema.ts';

beforeAll(async () => {
  await startBackend(['cpu']);
});

/** A pass in training mode, which moves the running statistics and counts. */
function pass(model: Model): void {
  tf.tidy(() => {
    const inputs = tf.tensor2d([1, 2, 0, 0, 1, 3, 2, 0, 1, 4, 4, 2], [4, 3]);
    const { extra } = model.gradients(tinyGraph(4, true), [inputs], ([output]) => {
      return { loss: tf.sum(output!), extra: tf.scalar(0) };
    });
    extra.dispose();
  });
}

it('averages parameters, copies buffers as they are at an update, and goes on from what it read', async () => {
  const before = tf.memory().numTensors;
  const model = await tinyModel();
  const ema = new Ema(0.75);
  ema.update(model);
  model.assign('fc.bias', tf.tensor1d([4, 8]));
  pass(model);
  ema.update(model);
  const now = await model.read();
  pass(model);

  const read = (await ema.read(model))!;
  expect([...read.floats.get('fc.bias')!]).toEqual([1, 2]);
  expect(read.floats.get('bn.running_mean')).toEqual(now.floats.get('bn.running_mean'));
  expect(read.floats.get('bn.running_mean')).not.toEqual(
    (await model.read()).floats.get('bn.running_mean'),
  );
  expect(read.counters).toEqual(new Map([['bn.num_batches_tracked', 1n]]));

  const again = Ema.restore(0.75, model, read);
  expect(await again.read(model)).toEqual(read);
  again.update(model);
  expect([...(await again.read(model))!.floats.get('fc.bias')!]).toEqual([1.75, 3.5]);
  expect((await again.read(model))!.counters.get('bn.num_batches_tracked')).toBe(2n);

  again.dispose();
  ema.dispose();
  expect(() => Ema.restore(0.75, model, { floats: new Map(), counters: new Map() })).toThrow(
    'ema: the kept average lacks bn.weight',
  );
  model.dispose();
  expect(tf.memory().numTensors).toBe(before);
});

it.each([-0.1, 1.1, NaN])('refuses a decay of %d', (decay) => {
  expect(() => new Ema(decay)).toThrow(`ema: decay is ${decay}, expected 0 to 1`);
});
