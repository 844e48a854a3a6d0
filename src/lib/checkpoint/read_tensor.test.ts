import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTensor, tensorChunks, tensorsInTurn } from './read_tensor.ts';
import { numel, tensorFromBytes, type Storage, type Tensor } from './tensor.ts';

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

  it('gives what an element-by-element walk gives, for any strides', async () => {
    const axis = fc.record({
      size: fc.integer({ min: 1, max: 4 }),
      stride: fc.integer({ min: 0, max: 6 }),
    });
    const axes = fc.array(axis, { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(axes, async (axes) => {
        const tensor = view(
          axes.map(({ size }) => size),
          axes.map(({ stride }) => stride),
          0,
        );
        if (axes.reduce((last, { size, stride }) => last + (size - 1) * stride, 0) >= 64) return;
        const expected = Array.from({ length: numel(tensor.shape) }, (_, index) => {
          let at = 0;
          for (const { size, stride } of axes.toReversed()) {
            at += (index % size) * stride;
            index = Math.floor(index / size);
          }
          return at;
        });
        expect(await elements(tensor)).toEqual(expected);
      }),
    );
  });
});

/** A storage of any size whose bytes say where they lie: byte `at` is `at / unit` modulo 251. */
function endless(byteLength: number, unit: number): { storage: Storage; read: number[] } {
  const read: number[] = [];
  const storage: Storage = {
    key: '0',
    location: 'cpu',
    byteLength,
    fresh: true,
    read(start, end) {
      read.push(end - start);
      const bytes = new Uint8Array(end - start);
      for (let at = 0; at < bytes.length; at++) bytes[at] = Math.floor((start + at) / unit) % 251;
      return Promise.resolve(bytes);
    },
  };
  return { storage, read };
}

const MiB = 2 ** 20;

describe('large views', () => {
  const base = tensorFromBytes(new Uint8Array(), 'uint8', [0]);

  it('a column of a huge matrix is read row by row', async () => {
    const { storage, read } = endless(2 ** 40, 2 ** 32);
    const column = await readTensor({ ...base, storage, shape: [256], strides: [2 ** 32] });
    expect([...column]).toEqual(Array.from({ length: 256 }, (_, row) => row % 251));
    expect(read).toEqual(new Array(256).fill(1));
  });

  it('a transposed matrix is read in pieces, each once', async () => {
    const { storage, read } = endless(20 * MiB, 5 * MiB);
    const turned = { ...base, storage, shape: [5 * MiB, 4], strides: [1, 5 * MiB] };
    const [chunk, ...more] = await Array.fromAsync(tensorChunks(turned), (it) => it.slice());
    expect(more).toEqual([]);
    expect(chunk!.length).toBe(20 * MiB);
    for (const at of [0, 1, 2, 3, 4 * MiB, 20 * MiB - 1]) expect(chunk![at]).toBe(at % 4);
    expect(Math.max(...read)).toBeLessThanOrEqual(8 * MiB);
    expect(read.reduce((sum, bytes) => sum + bytes)).toBe(20 * MiB);
  });

  it('rows cut out of a wide matrix, and expanded ones, come in pieces', async () => {
    const { storage, read } = endless(64 * MiB, MiB);
    const cut = { ...base, storage, shape: [32, MiB], strides: [2 * MiB, 1] };
    const expanded = { ...base, storage, shape: [40 * MiB], strides: [0], offset: 3 * MiB };
    for (const [tensor, value] of [
      [cut, (at: number) => 2 * Math.floor(at / MiB)],
      [expanded, () => 3],
    ] as const) {
      let at = 0;
      for await (const chunk of tensorChunks(tensor)) {
        expect(chunk.length).toBeLessThanOrEqual(8 * MiB);
        expect(chunk[0]).toBe(value(at));
        at += chunk.length;
        expect(chunk.at(-1)).toBe(value(at - 1));
      }
      expect(at).toBe(numel(tensor.shape));
    }
    expect(Math.max(...read)).toBeLessThanOrEqual(16 * MiB);
  });

  it('several tensors are given in turn, each whole', async () => {
    const { storage } = endless(8, 1);
    const part = (offset: number, size: number, stride = 1) => ({
      ...base,
      storage,
      shape: [size],
      strides: [stride],
      offset,
    });
    const tensors = [part(1, 2), part(0, 0), part(0, 3, 2), part(5, 3)];
    const given: number[][] = [];
    for (const chunks of tensorsInTurn(tensors)) {
      const bytes: number[] = [];
      for await (const chunk of chunks) bytes.push(...chunk);
      given.push(bytes);
    }
    expect(given).toEqual([[1, 2], [], [0, 2, 4], [5, 6, 7]]);
  });
});
