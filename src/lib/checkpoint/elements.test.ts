import { describe, expect, it } from 'vitest';
import type { Dtype } from './dtype.ts';
import { formatElement, formatFloat, swapBytes, toFloat32, toInt32 } from './elements.ts';

/** A 16-bit float by its definition: sign, exponent, fraction. */
function half(bits: number, exponentBits: number): number {
  const fractionBits = 15 - exponentBits;
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits & 0x7fff) >> fractionBits;
  const fraction = (bits & ((1 << fractionBits) - 1)) / 2 ** fractionBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? (1 + fraction) * 2 ** (exponent - bias) : fraction * 2 ** (1 - bias));
}

const patterns = new Uint8Array(Uint16Array.from({ length: 65536 }, (_, bits) => bits).buffer);

describe.each<[Dtype, number]>([
  ['float16', 5],
  ['bfloat16', 8],
])('%s', (dtype, exponentBits) => {
  const values = toFloat32(patterns, dtype);

  it('decodes all 65,536 patterns', () => {
    const wrong = [...values.keys()].filter(
      (bits) => !Object.is(values[bits], half(bits, exponentBits)),
    );
    expect(wrong).toEqual([]);
  });

  it('prints a text that no other pattern has, but for NaN', () => {
    const texts = new Set<string>();
    const clashes: string[] = [];
    for (let bits = 0; bits < 65536; bits++) {
      const text = formatElement(patterns, dtype, bits);
      if (Number.isNaN(values[bits]) ? text !== 'nan' : texts.has(text)) clashes.push(text);
      texts.add(text);
    }
    expect(clashes).toEqual([]);
  });
});

function bytesOf(...values: bigint[]): Uint8Array {
  return new Uint8Array(BigInt64Array.from(values).buffer);
}

describe('toFloat32', () => {
  it('rounds 64-bit integers once, as torch does', () => {
    // Halfway between two floats but for the last bit, which a double cannot hold.
    const up = 2n ** 60n + 2n ** 36n + 1n;
    const even = 2n ** 60n + 2n ** 36n;
    expect([...toFloat32(bytesOf(up, even, -up, 5n, -(2n ** 63n)), 'int64')]).toEqual([
      2 ** 60 + 2 ** 37,
      2 ** 60,
      -(2 ** 60 + 2 ** 37),
      5,
      -(2 ** 63),
    ]);
    expect([...toFloat32(bytesOf(-1n), 'uint64')]).toEqual([2 ** 64]);
  });

  it('reads bytes that lie on no boundary, into a fresh array', () => {
    const shifted = new Uint8Array(9);
    shifted.set(new Uint8Array(Float32Array.of(1.5, -2).buffer), 1);
    expect([...toFloat32(shifted.subarray(1), 'float32')]).toEqual([1.5, -2]);
    const bytes = new Uint8Array(Float32Array.of(1).buffer);
    toFloat32(bytes, 'float32')[0] = 7;
    expect(bytes).toEqual(new Uint8Array(Float32Array.of(1).buffer));
  });

  it('refuses complex numbers', () => {
    expect(() => toFloat32(new Uint8Array(8), 'complex64')).toThrow('complex64 has no float32');
  });
});

describe('toInt32', () => {
  it('takes every kind of integer that fits', () => {
    const least = -(2n ** 31n);
    expect([...toInt32(bytesOf(-1n, 2n ** 31n - 1n, least), 'int64')]).toEqual([
      -1,
      2 ** 31 - 1,
      Number(least),
    ]);
    expect([...toInt32(bytesOf(7n), 'uint64')]).toEqual([7]);
    expect([...toInt32(Uint8Array.of(255, 1), 'int8')]).toEqual([-1, 1]);
    expect([...toInt32(Uint8Array.of(1, 0), 'bool')]).toEqual([1, 0]);
    expect([...toInt32(Uint8Array.of(0, 255, 255, 255, 127).subarray(1), 'uint32')]).toEqual([
      2 ** 31 - 1,
    ]);
  });

  it.each<[Dtype, Uint8Array, string]>([
    ['int64', bytesOf(0n, 2n ** 31n), '2147483648 does not fit in 32 bits'],
    ['int64', bytesOf(-(2n ** 31n) - 1n), '-2147483649 does not fit'],
    ['uint64', bytesOf(2n ** 31n), '2147483648 does not fit'],
    ['uint64', bytesOf(-1n), '18446744073709551615 does not fit'],
    ['uint32', Uint8Array.of(0, 0, 0, 128), '2147483648 does not fit'],
    ['float32', new Uint8Array(4), 'float32 has no int32 form'],
    ['complex64', new Uint8Array(8), 'complex64 has no int32 form'],
  ])('refuses %s that do not', (dtype, bytes, message) => {
    expect(() => toInt32(bytes, dtype)).toThrow(message);
  });
});

describe('formatElement', () => {
  it.each<[Dtype, ArrayBufferView, string]>([
    ['float64', Float64Array.of(0.1), '0.1'],
    ['float32', Float32Array.of(0.1), '0.1'],
    ['float32', Float32Array.of(16777216), '16777216.0'],
    ['float32', Float32Array.of(1.1754944e-38), '1.1754944e-38'],
    ['float16', Float16Array.of(0.1), '0.1'],
    ['int64', BigInt64Array.of(-(2n ** 63n)), '-9223372036854775808'],
    ['uint64', BigUint64Array.of(2n ** 64n - 1n), '18446744073709551615'],
    ['int8', Int8Array.of(-1), '-1'],
    ['uint8', Uint8Array.of(255), '255'],
    ['int16', Int16Array.of(-2), '-2'],
    ['uint16', Uint16Array.of(65535), '65535'],
    ['int32', Int32Array.of(-3), '-3'],
    ['uint32', Uint32Array.of(2 ** 32 - 1), '4294967295'],
    ['bool', Uint8Array.of(1), 'True'],
    ['complex64', Float32Array.of(1, -0.1), '(1.0-0.1j)'],
    ['complex128', Float64Array.of(-1, 2), '(-1.0+2.0j)'],
  ])('%s', (dtype, { buffer }, text) => {
    expect(formatElement(new Uint8Array(buffer as ArrayBuffer), dtype, 0)).toBe(text);
  });
});

it.each([
  [1, '1.0'],
  [-0, '-0.0'],
  [0, '0.0'],
  [NaN, 'nan'],
  [-Infinity, '-inf'],
  [0.0001, '0.0001'],
  [0.00001, '1e-05'],
  [1.5e-7, '1.5e-07'],
  [1e15, '1000000000000000.0'],
  [1e16, '1e+16'],
  [123456789012345680, '1.2345678901234568e+17'],
  [1e100, '1e+100'],
  [5e-324, '5e-324'],
  [1 / 3, '0.3333333333333333'],
])('%d is %s in Python', (value, text) => expect(formatFloat(value)).toBe(text));

it('turns words round', () => {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  expect([...swapBytes(bytes, 4)]).toEqual([4, 3, 2, 1, 8, 7, 6, 5]);
  expect([...swapBytes(bytes, 1)]).toEqual([...bytes]);
});
