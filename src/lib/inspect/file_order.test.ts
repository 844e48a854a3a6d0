import { expect, it } from 'vitest';
import { tensorFromBytes, type Storage } from '#lib/checkpoint/tensor.ts';
import { fileOrder } from './file_order.ts';

it('orders tensors as their files have them, one file after the other', () => {
  const [first, second] = [{}, {}];
  const { storage } = tensorFromBytes(new Uint8Array(4), 'float32', [1]);
  const at = (file: object, at: number): Storage => ({ ...storage, place: { file, at } });
  const shared = at(first, 8);
  const order = fileOrder([
    { storage: at(first, 100), offset: 0 },
    { storage: at(second, 0), offset: 0 },
    { storage: shared, offset: 5 },
    { storage, offset: 0 },
    { storage: shared, offset: 0 },
    { storage: at(second, 64), offset: 0 },
  ]);
  expect(order).toEqual([4, 2, 0, 1, 5, 3]);
});
