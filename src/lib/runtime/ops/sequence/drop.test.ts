import { beforeAll, expect, it } from 'vitest';
import { startBackend } from '../../backend.ts';
import * as tf from '../../tf.ts';
import { drop } from './drop.ts';

beforeAll(async () => {
  await startBackend(['cpu']);
});

const context = (seed: number) => ({
  draws: (stream = 0) => ({ counter: tf.tensor1d([seed, 0], 'int32'), stream }),
});

it('drops a share of p, keeps the mean, and draws the same for the same seed', () => {
  const x = tf.ones([100, 100]);
  const values = [...drop(x, 0.3, context(1)).dataSync()];
  const kept = values.filter((value) => value !== 0);
  expect(kept.length / values.length).toBeCloseTo(0.7, 1);
  expect(kept.every((value) => Math.abs(value - 1 / 0.7) < 1e-6)).toBe(true);
  expect([...drop(x, 0.3, context(1)).dataSync()]).toEqual(values);
  expect([...drop(x, 0.3, context(2)).dataSync()]).not.toEqual(values);
  expect([...drop(x, 0.3, context(1), { stream: 1 }).dataSync()]).not.toEqual(values);
});

it('drops whole channels where the mask has ones for the other axes', () => {
  const shape = [8, 8, 1];
  const sums = tf.sum(drop(tf.ones([8, 8, 5]), 0.5, context(1), { shape }), 2).dataSync();
  expect(new Set(sums)).toEqual(new Set([0, 10]));
});
