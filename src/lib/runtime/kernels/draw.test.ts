import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../backend.ts';
import * as tf from '../tf.ts';
import { drawMask, drawUniform } from './draw.ts';

beforeAll(async () => {
  await startBackend(['cpu']);
});

const COUNT = 100_000;

const draws = (seed: number, pass: number, stream: number) => ({
  counter: tf.tensor1d([seed, pass], 'int32'),
  stream,
});
const numbers = (seed: number, pass: number, stream: number) =>
  drawUniform([COUNT], draws(seed, pass, stream)).dataSync<'float32'>();

const mean = (values: ArrayLike<number>) =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;

/** Of two sequences of uniform numbers; for independent ones about 1 / √count. */
function correlation(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  const count = Math.min(a.length, b.length);
  for (let at = 0; at < count; at++) sum += (a[at]! - 0.5) * (b[at]! - 0.5);
  return (12 * sum) / count;
}

/** Four standard deviations. */
const BOUND = 4 / Math.sqrt(COUNT);

/** Small seeds, as people take them, the first pass and node among them. */
const cases = [
  [0, 0, 0],
  [1, 0, 3],
  [1, 1, 3],
  [42, 1000, 7],
  [-5, 2, 1],
  [123_456_789, 99_999, 2 ** 24 + 12],
] as const;

describe('drawn numbers', () => {
  it.each(cases)('are uniform for seed %i, pass %i, stream %i', (...of) => {
    const values = numbers(...of);
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(Math.abs(mean(values) - 0.5)).toBeLessThan(BOUND * Math.sqrt(1 / 12));
    const squares = mean(values.map((value) => (value - 0.5) ** 2));
    expect(Math.abs(squares - 1 / 12)).toBeLessThan(BOUND * Math.sqrt(1 / 180));
    const bins = new Float64Array(256);
    for (const value of values) bins[Math.floor(value * 256)]!++;
    const expected = COUNT / 256;
    // χ² of 255 degrees of freedom: mean 255, standard deviation √510.
    const distance = bins.reduce((sum, bin) => sum + (bin - expected) ** 2 / expected, 0);
    expect(Math.abs(distance - 255)).toBeLessThan(4 * Math.sqrt(510));
  });

  it.each(cases)('do not follow each other for seed %i, pass %i, stream %i', (...of) => {
    const values = numbers(...of);
    for (const lag of [1, 2, 3, 4, 5, 8, 16, 64, 1024]) {
      expect(Math.abs(correlation(values, values.subarray(lag))), `lag ${lag}`).toBeLessThan(BOUND);
    }
  });

  it('are other ones in every seed, pass and stream', () => {
    const all = [0, 1, 2].flatMap((seed) =>
      [0, 1, 2].flatMap((pass) => [0, 1, 2].map((stream) => numbers(seed, pass, stream))),
    );
    for (const [at, one] of all.entries()) {
      for (const other of all.slice(at + 1)) {
        expect(Math.abs(correlation(one, other))).toBeLessThan(1.25 * BOUND);
      }
    }
  });

  it('begin alike whatever the shape, so that a longer batch has the masks of a shorter', () => {
    const long = drawUniform([7, 3], draws(3, 4, 5)).dataSync();
    const short = drawUniform([5, 3], draws(3, 4, 5)).dataSync();
    expect([...short]).toEqual([...long.slice(0, 15)]);
  });

  it.each([0, 0.1, 0.5, 0.999, 1])('make masks that drop %d', (p) => {
    const values = drawMask([COUNT], p, draws(1, 2, 3), 2).dataSync<'float32'>();
    expect(values.every((value) => value === 0 || value === 2)).toBe(true);
    const share = values.filter((value) => value === 0).length / COUNT;
    expect(Math.abs(share - p)).toBeLessThanOrEqual(BOUND * Math.sqrt(p * (1 - p)));
  });
});
