import { expect, it } from 'vitest';
import { tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { alike, sameBytes } from './duplicates.ts';
import { tensorSummary } from './tensor_statistics.ts';

function matrix(change: (values: Float32Array) => void = () => {}): Tensor {
  const values = Float32Array.from({ length: 36 }, (_, at) => Math.sin(at));
  change(values);
  return tensorFromBytes(new Uint8Array(values.buffer), 'float32', [6, 6]);
}
const known = async (tensor: Tensor) => ({ ...tensor, summary: await tensorSummary(tensor) });

it('finds who may be alike by statistics, and leaves out constants and small ones', async () => {
  const ones = matrix((values) => values.fill(1));
  const small = tensorFromBytes(new Uint8Array(Float32Array.of(1, 2).buffer), 'float32', [2]);
  const swapped = matrix((values) => values.reverse());
  const tensors = [matrix(), ones, matrix(), small, ones, small, { ...matrix(), shape: [4, 9] }];
  expect(alike([...(await Promise.all(tensors.map(known))), null])).toEqual([[0, 2]]);
  expect(alike(await Promise.all([matrix(), swapped].map(known)))).toHaveLength(1);
});

it('compares bytes, whatever the way into the storage', async () => {
  const plain = matrix();
  const columns = matrix((values) => {
    const before = values.slice();
    for (let at = 0; at < 36; at++) values[(at % 6) * 6 + Math.floor(at / 6)] = before[at]!;
  });
  expect(await sameBytes(plain, matrix())).toBe(true);
  expect(await sameBytes(plain, { ...columns, strides: [1, 6] })).toBe(true);
  expect(await sameBytes(plain, columns)).toBe(false);
  expect(
    await sameBytes(
      plain,
      matrix((values) => (values[35] = 0)),
    ),
  ).toBe(false);
});
