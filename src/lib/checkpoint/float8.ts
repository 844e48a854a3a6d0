/**
 * The 8-bit floats, decoded: "FP8 Formats for Deep Learning" (arXiv 2209.05433) for e4m3fn and e5m2,
 * arXiv 2206.02915 for the fnuz kinds, the OCP Microscaling specification for e8m0fnu; as in
 * c10/util/Float8_*.h.
 */
import type { Dtype } from './dtype.ts';

interface Float8 {
  readonly exponentBits: number;
  readonly bias: number;
  /** `ieee` has infinities; `fn` only NaN, at the end of the range; `fnuz` NaN in the place of −0. */
  readonly specials: 'ieee' | 'fn' | 'fnuz';
}

const kinds = {
  float8_e4m3fn: { exponentBits: 4, bias: 7, specials: 'fn' },
  float8_e4m3fnuz: { exponentBits: 4, bias: 8, specials: 'fnuz' },
  float8_e5m2: { exponentBits: 5, bias: 15, specials: 'ieee' },
  float8_e5m2fnuz: { exponentBits: 5, bias: 16, specials: 'fnuz' },
} as const satisfies Partial<Record<Dtype, Float8>>;

type Float8Dtype = keyof typeof kinds | 'float8_e8m0fnu';

export function isFloat8(dtype: Dtype): dtype is Float8Dtype {
  return dtype === 'float8_e8m0fnu' || Object.hasOwn(kinds, dtype);
}

const tables = new Map<Float8Dtype, Float32Array>();

/** The value of each of the 256 bytes; all of them are exact as float32. */
export function float8Values(dtype: Float8Dtype): Float32Array {
  let table = tables.get(dtype);
  if (!table) {
    const decode =
      dtype === 'float8_e8m0fnu' ? decodePower : (byte: number) => decodeFloat(byte, kinds[dtype]);
    tables.set(dtype, (table = Float32Array.from({ length: 256 }, (_, byte) => decode(byte))));
  }
  return table;
}

/** A bare exponent: a power of two, without sign. */
function decodePower(byte: number): number {
  return byte === 0xff ? NaN : 2 ** (byte - 127);
}

function decodeFloat(byte: number, { exponentBits, bias, specials }: Float8): number {
  const mantissaBits = 7 - exponentBits;
  const largest = 2 ** exponentBits - 1;
  const exponent = (byte & 0x7f) >> mantissaBits;
  const mantissa = byte & (2 ** mantissaBits - 1);
  const sign = byte & 0x80 ? -1 : 1;
  if (specials === 'fnuz' && byte === 0x80) return NaN;
  if (specials === 'fn' && (byte & 0x7f) === 0x7f) return NaN;
  if (specials === 'ieee' && exponent === largest) return mantissa ? NaN : sign * Infinity;
  const fraction = mantissa / 2 ** mantissaBits;
  return exponent === 0
    ? sign * fraction * 2 ** (1 - bias)
    : sign * (1 + fraction) * 2 ** (exponent - bias);
}
