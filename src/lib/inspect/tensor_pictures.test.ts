import { describe, expect, it } from 'vitest';
import { tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { picturesOf } from './pictures.ts';
import { tensorPictures } from './tensor_pictures.ts';

const values = Float32Array.from({ length: 2 * 3 * 1100 }, (_, at) => Math.sin(at));
const tensor = tensorFromBytes(new Uint8Array(values.buffer), 'float32', [2, 3, 1100]);
const all = { start: 0, count: 9, by: 'mean' } as const;

describe('pictures of a tensor of a file', () => {
  it('are those of its numbers, in blocks where it is large', async () => {
    for (const by of ['mean', 'min', 'max'] as const) {
      const wish = { start: 1, count: 4, by };
      expect(await tensorPictures(tensor, wish)).toEqual(picturesOf(values, [2, 3, 1100], wish));
    }
  });

  it('are of what a view looks at', async () => {
    const turned = { ...tensor, shape: [1100, 2], strides: [1, 3300], offset: 1100 };
    const pictures = await tensorPictures(turned, all);
    if (pictures.kind !== 'maps') throw new Error(pictures.kind);
    const block = [1100, 1101].map((at) => values[at]!);
    expect(pictures.maps[0]!.values[0]).toBe(Math.fround((block[0]! + block[1]!) / 2));
    const column = { ...tensor, shape: [2], strides: [3300], offset: 7 };
    expect(await tensorPictures(column, all)).toMatchObject({
      kind: 'bars',
      low: Float32Array.of(values[7]!, values[3307]!),
    });
  });

  it('take complex numbers by their size, and tell how far they are', async () => {
    const bytes = new Uint8Array(Float32Array.of(3, -4, 0, 1).buffer);
    const told: unknown[] = [];
    const pictures = await tensorPictures(tensorFromBytes(bytes, 'complex64', [2]), all, {
      progress: (part) => told.push(part),
    });
    expect(pictures).toMatchObject({ kind: 'bars', low: Float32Array.of(5, 1) });
    expect(told.at(-1)).toEqual({ done: 2, total: 2 });
  });

  it('are none of packed elements', async () => {
    const packed = tensorFromBytes(new Uint8Array(4), 'float4_e2m1fn_x2', [4]);
    await expect(tensorPictures(packed, all)).rejects.toThrow(
      'numbers: float4_e2m1fn_x2 elements are bits',
    );
  });
});
