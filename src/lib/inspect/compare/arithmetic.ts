/**
 * Elements of two tensors as arrays of one kind, so that each loop over them sees one type: float32
 * where that holds both without loss, 64-bit integers as halves, complex numbers as their parts,
 * else doubles.
 */
import { dtypes, type Dtype } from '#lib/checkpoint/dtype.ts';
import { aligned, toFloat32 } from '#lib/checkpoint/elements.ts';
import { hasNumbers, toNumbers } from '../numbers.ts';

/** How elements of two dtypes are compared. */
export type Arithmetic = 'float32' | 'float64' | 'complex' | 'long' | 'bytes';

/**
 * Null where the two have no numbers in common: of packed elements only equality is known, so they
 * are compared with their own kind alone.
 */
export function arithmeticOf(a: Dtype, b: Dtype): Arithmetic | null {
  if (!hasNumbers(a) || !hasNumbers(b)) return a === b ? 'bytes' : null;
  if (dtypes[a].kind === 'complex' || dtypes[b].kind === 'complex') return 'complex';
  if (isLong(a) && isLong(b)) return 'long';
  return fitsFloat32(a) && fitsFloat32(b) ? 'float32' : 'float64';
}

function isLong(dtype: Dtype): boolean {
  return dtype === 'int64' || dtype === 'uint64';
}

function fitsFloat32(dtype: Dtype): boolean {
  return dtypes[dtype].kind === 'float' && dtype !== 'float64';
}

export type Operand = Float32Array | Float64Array | Int32Array | Uint8Array;

/** A function from row-major bytes to an array for the arithmetic, which is good until its next call. */
export function operandFor(dtype: Dtype, arithmetic: Arithmetic): (bytes: Uint8Array) => Operand {
  switch (arithmetic) {
    case 'bytes':
      return (bytes) => bytes;
    case 'long':
      return (bytes) => aligned(bytes, Int32Array);
    case 'float32':
      if (dtype === 'float16') return float16For();
      return dtype === 'bfloat16' ? bfloat16For() : (bytes) => toNumbers(bytes, dtype);
    case 'float64':
      return doublesFor(dtype);
    case 'complex':
      return dtypes[dtype].kind === 'complex' ? doublesFor(dtype) : partsFor(dtype);
    default:
      return arithmetic satisfies never;
  }
}

/** The 65,536 numbers of float16: not every engine makes one as fast as it looks one up. */
let float16Numbers: Float32Array | undefined;

function float16For(): (bytes: Uint8Array) => Float32Array {
  float16Numbers ??= toFloat32(
    new Uint8Array(Uint16Array.from({ length: 65_536 }, (_, code) => code).buffer),
    'float16',
  );
  const numbers = float16Numbers;
  const room = roomFor(Float32Array);
  return (bytes) => {
    const codes = aligned(bytes, Uint16Array);
    const out = room(codes.length);
    for (let at = 0; at < codes.length; at++) out[at] = numbers[codes[at]!]!;
    return out;
  };
}

/** The upper halves of float32 numbers, into the same memory again and again. */
function bfloat16For(): (bytes: Uint8Array) => Float32Array {
  const room = roomFor(Float32Array);
  return (bytes) => {
    const halves = aligned(bytes, Uint16Array);
    const out = room(halves.length);
    const words = new Uint32Array(out.buffer, 0, halves.length);
    for (let at = 0; at < halves.length; at++) words[at] = halves[at]! << 16;
    return out;
  };
}

function doublesFor(dtype: Dtype): (bytes: Uint8Array) => Float64Array {
  const room = roomFor(Float64Array);
  return (bytes) => {
    const numbers = toNumbers(bytes, dtype);
    if (numbers instanceof Float64Array) return numbers;
    const out = room(numbers.length);
    out.set(numbers);
    return out;
  };
}

/** Real numbers as complex ones: each with an imaginary part of 0 behind it. */
function partsFor(dtype: Dtype): (bytes: Uint8Array) => Float64Array {
  const room = roomFor(Float64Array);
  return (bytes) => {
    const numbers = toNumbers(bytes, dtype);
    const out = room(2 * numbers.length).fill(0);
    for (let at = 0; at < numbers.length; at++) out[2 * at] = numbers[at]!;
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
