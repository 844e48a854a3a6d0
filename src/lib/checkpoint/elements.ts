/** Elements of every dtype as numbers: for the GPU as float32, for people as exact text. */
import { dtypes, itemsize, type Dtype } from './dtype.ts';
import { float8Values, isFloat8 } from './float8.ts';

/**
 * Row-major little-endian bytes as float32 in a fresh array, rounded to nearest as
 * `Tensor.float()` does; bool gives 0 and 1. Complex, packed and quantized elements have no such form:
 * a RangeError.
 */
export function toFloat32(bytes: Uint8Array, dtype: Dtype): Float32Array<ArrayBuffer> {
  if (dtype === 'bfloat16') {
    const halves = aligned(bytes, Uint16Array);
    const words = new Uint32Array(halves.length);
    for (let at = 0; at < halves.length; at++) words[at] = halves[at]! << 16;
    return new Float32Array(words.buffer);
  }
  if (dtype === 'int64' || dtype === 'uint64') {
    const wide: ArrayLike<bigint> =
      dtype === 'int64' ? aligned(bytes, BigInt64Array) : aligned(bytes, BigUint64Array);
    const floats = new Float32Array(wide.length);
    for (let at = 0; at < wide.length; at++) floats[at] = nearbyNumber(wide[at]!);
    return floats;
  }
  if (isFloat8(dtype)) {
    const values = float8Values(dtype);
    const floats = new Float32Array(bytes.length);
    for (let at = 0; at < floats.length; at++) floats[at] = values[bytes[at]!]!;
    return floats;
  }
  if (!hasArray(dtype)) throw new RangeError(`${dtype} has no float32 form`);
  return new Float32Array(aligned<ArrayLike<number>>(bytes, arrays[dtype]));
}

/** As `toFloat32`, as float64: exact but for 64-bit integers, which are rounded to nearest. */
export function toFloat64(bytes: Uint8Array, dtype: Dtype): Float64Array<ArrayBuffer> {
  if (dtype === 'int64' || dtype === 'uint64') {
    const wide: ArrayLike<bigint> =
      dtype === 'int64' ? aligned(bytes, BigInt64Array) : aligned(bytes, BigUint64Array);
    const doubles = new Float64Array(wide.length);
    for (let at = 0; at < wide.length; at++) doubles[at] = Number(wide[at]!);
    return doubles;
  }
  // float32 holds numbers of at most 16 bits as they are.
  if (!hasArray(dtype)) return new Float64Array(toFloat32(bytes, dtype));
  return new Float64Array(aligned<ArrayLike<number>>(bytes, arrays[dtype]));
}

/**
 * Row-major little-endian bytes of integers or bools as int32 in a fresh array. An integer that needs
 * more bits, and a dtype of another kind, is a RangeError.
 */
export function toInt32(bytes: Uint8Array, dtype: Dtype): Int32Array<ArrayBuffer> {
  if (dtype === 'int64' || dtype === 'uint64') {
    const words = aligned(bytes, Int32Array);
    const integers = new Int32Array(words.length / 2);
    for (let at = 0; at < integers.length; at++) {
      const [low, high] = [words[2 * at]!, words[2 * at + 1]!];
      // Of a fitting number, the upper half repeats the sign; of an unsigned one that is 0.
      if (high !== (dtype === 'int64' ? low >> 31 : 0) || (dtype === 'uint64' && low < 0)) {
        throw tooWide(formatElement(bytes, dtype, at));
      }
      integers[at] = low;
    }
    return integers;
  }
  if (!hasArray(dtype) || dtypes[dtype].kind === 'float') {
    throw new RangeError(`${dtype} has no int32 form`);
  }
  const values = aligned<ArrayLike<number>>(bytes, arrays[dtype]);
  const integers = Int32Array.from(values);
  if (dtype === 'uint32') {
    const at = integers.findIndex((value) => value < 0);
    if (at >= 0) throw tooWide(String(values[at]));
  }
  return integers;
}

function tooWide(value: string): RangeError {
  return new RangeError(`${value} does not fit in 32 bits`);
}

/**
 * A 64-bit integer as a double that rounds to the right float32. From 2⁵³ on, rounding to a double
 * first would round twice: there the lowest of 53 bits says whether anything was cut off.
 */
function nearbyNumber(value: bigint): number {
  const near = Number(value);
  if (Number.isSafeInteger(near)) return near;
  return Number((value >> 11n) | BigInt((value & 0x7ffn) !== 0n)) * 2048;
}

/** Turns the bytes of each word round: from big-endian to little-endian. */
export function swapBytes(bytes: Uint8Array, word: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  for (let at = 0; at < out.length; at += word) {
    for (let byte = 0; byte < word; byte++) out[at + byte] = bytes[at + word - 1 - byte]!;
  }
  return out;
}

const arrays = {
  float64: Float64Array,
  float32: Float32Array,
  float16: Float16Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  bool: Uint8Array,
};

function hasArray(dtype: Dtype): dtype is keyof typeof arrays {
  return Object.hasOwn(arrays, dtype);
}

/** A typed array over the bytes; they are copied where they do not lie on its boundary. */
export function aligned<T>(
  bytes: Uint8Array,
  type: {
    new (buffer: ArrayBuffer, offset: number, length: number): T;
    BYTES_PER_ELEMENT: number;
  },
): T {
  const size = type.BYTES_PER_ELEMENT;
  const fits = bytes.byteOffset % size === 0;
  const { buffer, byteOffset, byteLength } = fits ? bytes : bytes.slice();
  return new type(buffer as ArrayBuffer, byteOffset, byteLength / size);
}

/** Element `index` as Python would print it: shortest text that reads back to the same number. */
export function formatElement(bytes: Uint8Array, dtype: Dtype, index: number): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = index * itemsize(dtype);
  switch (dtype) {
    case 'float64':
      return formatFloat(view.getFloat64(at, true));
    case 'float32':
      return formatFloat(shortest(view.getFloat32(at, true), Math.fround));
    case 'float16':
      return formatFloat(shortest(view.getFloat16(at, true), Math.f16round));
    case 'bfloat16':
      return formatFloat(shortest(toFloat32(bytes.subarray(at, at + 2), dtype)[0]!, bfloatRound));
    case 'int64':
      return String(view.getBigInt64(at, true));
    case 'uint64':
      return String(view.getBigUint64(at, true));
    case 'int32':
    case 'qint32':
      return String(view.getInt32(at, true));
    case 'uint32':
      return String(view.getUint32(at, true));
    case 'int16':
      return String(view.getInt16(at, true));
    case 'uint16':
      return String(view.getUint16(at, true));
    case 'int8':
    case 'qint8':
      return String(view.getInt8(at));
    case 'uint8':
    case 'quint8':
      return String(view.getUint8(at));
    case 'bool':
      return view.getUint8(at) ? 'True' : 'False';
    case 'float8_e4m3fn':
    case 'float8_e4m3fnuz':
    case 'float8_e5m2':
    case 'float8_e5m2fnuz':
    case 'float8_e8m0fnu':
      return formatFloat(float8Values(dtype)[bytes[at]!]!);
    case 'float4_e2m1fn_x2':
    case 'bits8':
    case 'bits16':
    case 'bits1x8':
    case 'bits2x4':
    case 'bits4x2':
    case 'quint4x2':
    case 'quint2x4': {
      const digits = Array.from(bytes.subarray(at, at + itemsize(dtype)).toReversed(), hexByte);
      return `0x${digits.join('')}`;
    }
    case 'complex32':
    case 'complex64':
    case 'complex128': {
      const half = halves[dtype];
      const [real, imaginary] = [0, 1].map((part) => formatElement(bytes, half, 2 * index + part));
      return `(${real}${imaginary!.startsWith('-') ? '' : '+'}${imaginary}j)`;
    }
    default:
      return dtype satisfies never;
  }
}

const halves = { complex32: 'float16', complex64: 'float32', complex128: 'float64' } as const;

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

/** The double with the fewest digits that rounds to `value` in the narrower type. */
function shortest(value: number, round: (value: number) => number): number {
  if (!Number.isFinite(value) || value === 0) return value; // -0 has no digits to keep its sign
  for (let digits = 1; digits < 10; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (round(candidate) === value) return candidate;
  }
  return value;
}

/** Rounds to bfloat16, to nearest, ties to even. */
function bfloatRound(value: number): number {
  const [bits] = new Uint32Array(new Float32Array([value]).buffer) as unknown as [number];
  const rounded = ((bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000) >>> 0;
  return new Float32Array(new Uint32Array([rounded]).buffer)[0]!;
}

/** A float as Python's repr writes it: `1.0`, `1e-05`, `nan`, `-inf`. */
export function formatFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const size = Math.abs(value);
  if (size >= 1e16 || size < 1e-4) {
    const [digits, exponent] = value.toExponential().split('e') as [string, string];
    const sign = exponent[0];
    return `${digits}e${sign}${exponent.slice(1).padStart(2, '0')}`;
  }
  const text = String(value);
  return text.includes('.') ? text : `${text}.0`;
}
