/** Random numbers are the same on every backend, bit for bit. */
import { expect, it } from 'vitest';
import { drawMask, drawUniform } from '#lib/runtime/kernels/draw.ts';
import * as tf from '#lib/runtime/tf.ts';
import { useBackend, backends } from '../lab.ts';

const cases = [
  { seed: 0, pass: 0, stream: 0 },
  { seed: 1, pass: 7, stream: 12 },
  { seed: -1, pass: 2 ** 31 - 1, stream: 5 * 2 ** 24 + 17 },
  // More than float32 holds exactly: integers must not go through it.
  { seed: 2 ** 24 + 1, pass: 2 ** 24 + 3, stream: 2 ** 24 + 5 },
];

async function draw() {
  const drawn: number[][] = [];
  for (const { seed, pass, stream } of cases) {
    const counter = tf.tensor1d([seed, pass], 'int32');
    const tensors = [
      drawUniform([], { counter, stream }),
      drawUniform([3, 7, 11], { counter, stream }),
      drawMask([1001], 0.1, { counter, stream }, 1 / 0.9),
      drawMask([5, 1], 0.5, { counter, stream }, 1),
    ];
    for (const tensor of tensors) {
      drawn.push([...new Int32Array((await tensor.data<'float32'>()).slice().buffer)]);
    }
    tf.dispose([counter, ...tensors]);
  }
  return drawn;
}

it('draws the same bits on every backend', async () => {
  const drawn: number[][][] = [];
  for (const name of backends) {
    const running = await useBackend(name);
    drawn.push(await draw());
    running.check();
  }
  expect(new Set(drawn[0]!.map(String)).size).toBe(4 * cases.length);
  for (const other of drawn.slice(1)) expect(other).toEqual(drawn[0]);
});
