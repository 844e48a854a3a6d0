import { describe, expect, it } from 'vitest';
import {
  contiguousStrides,
  isContiguous,
  readTensor,
  span,
  tensorChunks,
  tensorFromBytes,
  type Tensor,
} from './tensor.ts';

/** A view of a storage of the bytes 0, 1, 2, … */
function view(
  shape: number[],
  strides: number[],
  offset = 0,
  dtype: Tensor['dtype'] = 'uint8',
): Tensor {
  const bytes = Uint8Array.from({ length: 64 }, (_, index) => index);
  const { storage } = tensorFromBytes(bytes, 'uint8', [64]);
  return { ...tensorFromBytes(new Uint8Array(), dtype, [0]), shape, strides, offset, storage };
}

const elements = async (tensor: Tensor) => [...(await readTensor(tensor))];

describe('strides', () => {
  it('are row-major, and sizes of 0 count as 1, as in torch', () => {
    expect(contiguousStrides([2, 3, 4])).toEqual([12, 4, 1]);
    expect(contiguousStrides([2, 0, 4])).toEqual([4, 4, 1]);
    expect(contiguousStrides([])).toEqual([]);
  });

  it.each<[number[], number[], boolean]>([
    [[2, 3], [3, 1], true],
    [[2, 3], [1, 2], false],
    [[2, 1, 3], [3, 99, 1], true],
    [[1, 1], [0, 0], true],
    [[2], [0], false],
    [[0, 3], [7, 7], true],
    [[], [], true],
  ])('%j with strides %j: contiguous %s', (shape, strides, expected) => {
    expect(isContiguous({ shape, strides })).toBe(expected);
  });

  it.each<[number[], number[], number, [number, number]]>([
    [[2, 3], [3, 1], 5, [5, 11]],
    [[3, 2], [1, 3], 0, [0, 6]],
    [[4, 5], [0, 0], 7, [7, 8]],
    [[], [], 3, [3, 4]],
    [[0, 5], [5, 1], 9, [9, 9]],
  ])('%j with strides %j from %d spans %j', (shape, strides, offset, expected) => {
    expect(span({ shape, strides, offset })).toEqual(expected);
  });
});

describe('readTensor', () => {
  it.each<[string, Tensor, number[]]>([
    ['a part', view([2, 2], [2, 1], 10), [10, 11, 12, 13]],
    ['a transposed view', view([2, 3], [1, 2]), [0, 2, 4, 1, 3, 5]],
    ['an expanded view', view([2, 3], [1, 0], 4), [4, 4, 4, 5, 5, 5]],
    ['a strided slice', view([2, 2], [8, 2], 1), [1, 3, 9, 11]],
    ['a scalar', view([], [], 5), [5]],
    ['nothing', view([0, 3], [3, 1], 64), []],
    ['words of two bytes', view([2, 2], [1, 2], 1, 'int16'), [2, 3, 6, 7, 4, 5, 8, 9]],
    ['three axes permuted', view([2, 2, 2], [1, 4, 2]), [0, 2, 4, 6, 1, 3, 5, 7]],
  ])('gathers %s', async (_, tensor, expected) => {
    expect(await elements(tensor)).toEqual(expected);
    const chunks = await Array.fromAsync(tensorChunks(tensor));
    expect(chunks.flatMap((chunk) => [...chunk])).toEqual(expected);
  });

  it('reads no more of the storage than the tensor spans', async () => {
    const ranges: [number, number][] = [];
    const tensor = view([2, 2], [2, 1], 3, 'int32');
    const read = (start: number, end: number) => {
      ranges.push([start, end]);
      return Promise.resolve(new Uint8Array(end - start));
    };
    await readTensor({ ...tensor, storage: { ...tensor.storage, read } });
    expect(ranges).toEqual([[12, 28]]);
  });

  it('reads a large tensor in pieces, and stops when aborted', async () => {
    const size = 20 * 2 ** 20;
    const large = tensorFromBytes(new Uint8Array(size), 'uint8', [size]);
    const pieces = await Array.fromAsync(tensorChunks(large));
    expect(pieces.map((piece) => piece.length / 2 ** 20)).toEqual([8, 8, 4]);
    const controller = new AbortController();
    const reading = tensorChunks(large, controller.signal);
    await reading.next();
    controller.abort();
    await expect(reading.next()).rejects.toThrow('aborted');
  });

  it('refuses bytes that do not fit the shape', () => {
    expect(() => tensorFromBytes(new Uint8Array(7), 'float32', [2])).toThrow(
      'tensor: 7 bytes given, float32 [2] needs 8',
    );
  });
});
