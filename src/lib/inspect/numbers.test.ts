import { describe, expect, it } from 'vitest';
import { metaStorage, tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { checkNumbers, countNumbers, numbersOf, toNumbers, type Numbers } from './numbers.ts';

const bytesOf = (array: ArrayBufferView) =>
  new Uint8Array(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength);

describe('numbers', () => {
  it.each<[Parameters<typeof toNumbers>[1], ArrayBufferView, Numbers]>([
    ['float64', Float64Array.of(0.1, -0, NaN), Float64Array.of(0.1, -0, NaN)],
    ['float32', Float32Array.of(0.1, 1e-45), Float32Array.of(0.1, 1e-45)],
    ['float16', Float16Array.of(1.5, -Infinity), Float32Array.of(1.5, -Infinity)],
    ['bfloat16', Uint16Array.of(0x3f80, 0x0001), Float32Array.of(1, 2 ** -133)],
    ['float8_e5m2', Uint8Array.of(0x3c, 0x7c), Float32Array.of(1, Infinity)],
    ['complex32', Float16Array.of(1, 2), Float32Array.of(1, 2)],
    ['complex64', Float32Array.of(1, 2), Float32Array.of(1, 2)],
    ['complex128', Float64Array.of(1, 2), Float64Array.of(1, 2)],
    [
      'int64',
      BigInt64Array.of(-1n, 2n ** 53n + 3n, -(2n ** 63n)),
      Float64Array.of(-1, 2 ** 53 + 4, -(2 ** 63)),
    ],
    ['uint64', BigUint64Array.of(2n ** 64n - 1n, 7n), Float64Array.of(2 ** 64, 7)],
    ['int32', Int32Array.of(-(2 ** 31)), Float64Array.of(-(2 ** 31))],
    ['uint32', Uint32Array.of(2 ** 32 - 1), Float64Array.of(2 ** 32 - 1)],
    ['uint16', Uint16Array.of(65535), Float32Array.of(65535)],
    ['bool', Uint8Array.of(0, 1, 2), Float32Array.of(0, 1, 1)],
    ['qint8', Int8Array.of(-3), Float32Array.of(-3)],
    ['quint8', Uint8Array.of(253), Float32Array.of(253)],
    ['qint32', Int32Array.of(-5), Float64Array.of(-5)],
  ])('of %s', (dtype, stored, expected) => {
    expect(toNumbers(bytesOf(stored), dtype)).toEqual(expected);
    // As well where the bytes do not lie on the boundary of an element.
    const shifted = new Uint8Array(stored.byteLength + 1);
    shifted.set(bytesOf(stored), 1);
    expect(toNumbers(shifted.subarray(1), dtype)).toEqual(expected);
  });

  it('come in chunks, in row-major order', async () => {
    const tensor = tensorFromBytes(bytesOf(Int32Array.of(1, 2, 3, 4, 5, 6)), 'int32', [2, 3]);
    const turned = { ...tensor, shape: [3, 2], strides: [1, 3] };
    const chunks = await Array.fromAsync(numbersOf(turned));
    expect(chunks.flatMap((chunk) => [...chunk])).toEqual([1, 4, 2, 5, 3, 6]);
  });

  it('are two for a complex element', () => {
    expect(countNumbers({ dtype: 'complex64', shape: [2, 3] })).toBe(12);
    expect(countNumbers({ dtype: 'bool', shape: [] })).toBe(1);
  });

  it('are not in packed elements nor in bare shapes', () => {
    const { storage } = tensorFromBytes(new Uint8Array(1), 'uint8', [1]);
    for (const dtype of ['float4_e2m1fn_x2', 'bits16', 'quint4x2', 'quint2x4'] as const) {
      expect(() => checkNumbers({ dtype, storage })).toThrow(`numbers: ${dtype} elements are bits`);
    }
    expect(() => checkNumbers({ dtype: 'float32', storage: metaStorage(4) })).toThrow(
      'numbers: the file holds the shape of this meta tensor',
    );
  });
});
