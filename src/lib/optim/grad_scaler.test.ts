import { beforeAll, expect, it } from 'vitest';
import { dict, type Value } from '#lib/checkpoint/value.ts';
import { startBackend } from '#lib/runtime/backend.ts';
import * as tf from '#lib/runtime/tf.ts';
import { clipGradNorm } from './clip_grad.ts';
import { GradScaler, scalerDefaults } from './grad_scaler.ts';

beforeAll(async () => {
  await startBackend(['cpu']);
});

it.each([
  [{ init_scale: 0 }, 'init_scale is 0, expected more than 0'],
  [{ growth_factor: 1 }, 'growth_factor is 1, expected more than 1'],
  [{ backoff_factor: 1 }, 'backoff_factor is 1, expected less than 1'],
  [{ growth_interval: 1.5 }, 'growth_interval is 1.5, expected an integer of 1 or more'],
])('refuses %j', (settings, message) => {
  expect(() => new GradScaler({ ...scalerDefaults, ...settings })).toThrow(`scaler: ${message}`);
});

it.each<[string, Value, string]>([
  ['no dict', null, 'its state_dict is empty'],
  ['a disabled scaler', dict(), 'its state_dict is empty'],
  ['a state without a scale', dict({ growth_factor: 2 }), 'scale in its state_dict is no number'],
])('does not go on from %s', (_, state, message) => {
  expect(() => GradScaler.restore(state)).toThrow(message);
});

it('finds nothing, and clips nothing, where there are no gradients', async () => {
  const none = new Map([['a', null]]);
  const { gradients, foundInf } = new GradScaler(scalerDefaults).unscale(none);
  expect(gradients).toEqual(none);
  expect([...(await foundInf.data())]).toEqual([0]);
  const clipped = clipGradNorm(none, 1);
  expect(clipped.gradients).toEqual(none);
  expect([...(await clipped.norm.data())]).toEqual([0]);
  tf.dispose([foundInf, clipped.norm]);
});

it('clips by the norms that it can take', () => {
  expect(() => clipGradNorm(new Map(), 1, 3)).toThrow(
    'the norm type to clip by is 3, expected 1, 2 or inf',
  );
});
