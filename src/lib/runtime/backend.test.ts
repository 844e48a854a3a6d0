import * as tf from './tf.ts';
import { expect, it } from 'vitest';
import { startBackend } from './backend.ts';

it('falls back to what works and says why', async () => {
  const backend = await startBackend(['webgpu', 'webgl', 'cpu']);
  expect(backend.name).toBe('cpu');
  expect(backend.reason).toMatch(
    /webgpu: this browser or computer offers no WebGPU adapter; webgl: /,
  );
  const x = tf.variable(tf.tensor([1, 2, 3]));
  const { grads } = tf.variableGrads(() => tf.sum(tf.square(x)), [x]);
  expect([...(await grads[x.name]!.data())]).toEqual([2, 4, 6]);
});
