/**
 * Elements of two tensors as arrays of one kind, so that each loop over them sees one type: float32
 * where that holds both without loss, 64-bit integers as halves, complex numbers as their parts,
 * else doubles. The arrays are used again for the next block.
 */
import { dtypes, itemsize, type Dtype } from '#lib/checkpoint/dtype.ts';
import { aligned, toFloat32 } from '#lib/checkpoint/elements.ts';
import { float8Values, isFloat8 } from '#lib/checkpoint/float8.ts';

/** How elements of two dtypes are compared; null where they have no numbers in common. */
export type Arithmetic = 'float32' | 'float64' | 'complex' | 'long' | 'bytes';

/** Of packed elements only equality is known, so they are compared with their own kind alone. */
export function arithmeticOf(a: Dtype, b: Dtype): Arithmetic | null {
  if (isPacked(a) || isPacked(b)) return a === b ? 'bytes' : null;
  if (dtypes[a].kind === 'complex' || dtypes[b].kind === 'complex') return 'complex';
  if (isLong(a) && isLong(b)) return 'long';
  return fitsFloat32(a) && fitsFloat32(b) ? 'float32' : 'float64';
}

function isPacked(dtype: Dtype): boolean {
  return dtypes[dtype].kind === 'packed' || dtype === 'quint4x2' || dtype === 'quint2x4';
}

export function isLong(dtype: Dtype): dtype is 'int64' | 'uint64' {
  return dtype === 'int64' || dtype === 'uint64';
}

function fitsFloat32(dtype: Dtype): boolean {
  return dtypes[dtype].kind === 'float' && dtype !== 'float64';
}

export type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array;

/** Row-major elements of a dtype as an array for an arithmetic. The array is good until the next call. */
export function numbersFor(dtype: Dtype, arithmetic: Arithmetic): (bytes: Uint8Array) => Numbers {
  switch (arithmetic) {
    case 'bytes':
      return (bytes) => bytes;
    case 'long':
      return (bytes) => aligned(bytes, Int32Array);
    case 'float32':
      return float32For(dtype);
    case 'float64':
      return float64For(dtype);
    case 'complex':
      return complexFor(dtype);
    default:
      return arithmetic satisfies never;
  }
}

function float32For(dtype: Dtype): (bytes: Uint8Array) => Float32Array {
  if (dtype === 'float32') return (bytes) => aligned(bytes, Float32Array);
  const room = roomFor(Float32Array);
  const table = isFloat8(dtype) ? float8Values(dtype) : halves(dtype);
  return (bytes) => {
    const codes = itemsize(dtype) === 1 ? bytes : aligned(bytes, Uint16Array);
    const out = room(codes.length);
    for (let at = 0; at < codes.length; at++) out[at] = table[codes[at]!]!;
    return out;
  };
}

/** The 65,536 numbers of a float of two bytes. */
const halvesTables = new Map<Dtype, Float32Array>();

function halves(dtype: Dtype): Float32Array {
  let table = halvesTables.get(dtype);
  if (!table) {
    const codes = Uint16Array.from({ length: 65_536 }, (_, code) => code);
    halvesTables.set(dtype, (table = toFloat32(new Uint8Array(codes.buffer), dtype)));
  }
  return table;
}

function float64For(dtype: Dtype): (bytes: Uint8Array) => Float64Array {
  if (dtype === 'float64') return (bytes) => aligned(bytes, Float64Array);
  const room = roomFor(Float64Array);
  if (isLong(dtype)) {
    return (bytes) => {
      const codes =
        dtype === 'int64' ? aligned(bytes, BigInt64Array) : aligned(bytes, BigUint64Array);
      const out = room(codes.length);
      for (let at = 0; at < codes.length; at++) out[at] = Number(codes[at]!);
      return out;
    };
  }
  const arrays = {
    int32: Int32Array,
    qint32: Int32Array,
    uint32: Uint32Array,
    int16: Int16Array,
    uint16: Uint16Array,
    int8: Int8Array,
    qint8: Int8Array,
  };
  const read: (bytes: Uint8Array) => ArrayLike<number> = fitsFloat32(dtype)
    ? float32For(dtype)
    : Object.hasOwn(arrays, dtype)
      ? (bytes) => aligned<ArrayLike<number>>(bytes, arrays[dtype as keyof typeof arrays])
      : (bytes) => bytes;
  const isBool = dtype === 'bool';
  return (bytes) => {
    const codes = read(bytes);
    const out = room(codes.length);
    // Whatever byte a file holds for True, torch counts it as 1.
    for (let at = 0; at < codes.length; at++)
      out[at] = isBool ? Number(codes[at] !== 0) : codes[at]!;
    return out;
  };
}

const parts = { complex32: 'float16', complex64: 'float32', complex128: 'float64' } as const;

/** Real and imaginary parts in turn; real numbers with an imaginary part of 0. */
function complexFor(dtype: Dtype): (bytes: Uint8Array) => Float64Array {
  if (Object.hasOwn(parts, dtype)) return float64For(parts[dtype as keyof typeof parts]);
  const real = float64For(dtype);
  const room = roomFor(Float64Array);
  return (bytes) => {
    const numbers = real(bytes);
    const out = room(2 * numbers.length);
    for (let at = 0; at < numbers.length; at++) {
      out[2 * at] = numbers[at]!;
      out[2 * at + 1] = 0;
    }
    return out;
  };
}

/** Memory that is used again for the next block. */
function roomFor<T extends Float32Array | Float64Array>(type: {
  new (length: number): T;
}): (length: number) => T {
  let room = new type(0);
  return (length) => {
    if (room.length < length) room = new type(length);
    return room.subarray(0, length) as T;
  };
}

/** Whether two blocks of bytes are the same. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let at = 0;
  if (a.byteOffset % 4 === 0 && b.byteOffset % 4 === 0) {
    const words = a.length >> 2;
    const [left, right] = [wordsOf(a, words), wordsOf(b, words)];
    for (let word = 0; word < words; word++) if (left[word] !== right[word]) return false;
    at = words << 2;
  }
  for (; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

function wordsOf({ buffer, byteOffset }: Uint8Array, words: number): Int32Array {
  return new Int32Array(buffer as ArrayBuffer, byteOffset, words);
}
