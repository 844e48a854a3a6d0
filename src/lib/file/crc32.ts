/**
 * CRC-32 as zip, gzip and PNG use it (reflected polynomial 0xEDB88320, RFC 1952 section 8). The sums
 * themselves are hash-wasm's; here is what a file in pieces needs: the sums of pieces put together,
 * no piece summed twice on its way from one file to another, and large ones summed in another thread
 * where one has been lent.
 */
import { createCRC32, type IHasher } from 'hash-wasm';

/** Sums that are known. Bytes that were read or are to be written are not changed any more. */
const known = new WeakMap<Uint8Array, number>();

let hasher: Promise<IHasher> | undefined;

/** CRC-32 of bytes, which must not be changed afterwards: what it was is remembered with them. */
export async function crc32(bytes: Uint8Array): Promise<number> {
  const before = known.get(bytes);
  if (before !== undefined) return before;
  hasher ??= createCRC32();
  const crc = parseInt((await hasher).init().update(bytes).digest('hex'), 16);
  known.set(bytes, crc);
  return crc;
}

/** Bytes and their sum. */
export interface Summed {
  readonly bytes: Uint8Array;
  readonly crc: number;
}

/** Sums the bytes of a whole ArrayBuffer, which it takes away and gives back in the answer. */
export type SumThread = (buffer: ArrayBuffer) => Promise<{ buffer: ArrayBuffer; crc: number }>;

let thread: SumThread | null = null;

/** Lends a thread for the sums of large arrays. */
export function lendSumThread(lent: SumThread): void {
  thread = lent;
}

/** From this size on, the way to another thread and back costs less than the sum. */
const WORTH_SENDING = 2 ** 18;

/**
 * CRC-32 of bytes that nobody else holds: they may travel to another thread, and come back as
 * another array, which takes the place of the one given.
 */
export async function crc32Fresh(bytes: Uint8Array): Promise<Summed> {
  const before = known.get(bytes);
  if (before !== undefined) return { bytes, crc: before };
  if (!thread || bytes.byteLength < WORTH_SENDING || bytes.byteLength < bytes.buffer.byteLength) {
    return { bytes, crc: await crc32(bytes) };
  }
  const { buffer, crc } = await thread(bytes.buffer as ArrayBuffer);
  const back = new Uint8Array(buffer);
  known.set(back, crc);
  return { bytes: back, crc };
}

/**
 * CRC-32 of one run of bytes followed by another of `length` bytes, from the sums of both: the first
 * is moved along by multiplying it, as a polynomial over GF(2), by x^(8·length) modulo CRC-32's own
 * polynomial (zlib's `crc32_combine`, explained in its crc32.c).
 */
export function joinCrc32(first: number, second: number, length: number): number {
  let factor = ONE;
  let square = BYTE;
  for (let rest = length; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) factor = multiply(factor, square);
    square = multiply(square, square);
  }
  return (multiply(factor, first) ^ second) >>> 0;
}

/** The polynomials 1 and x⁸; the highest bit stands for x⁰, as CRC-32 is reflected. */
const ONE = 0x80000000;
const BYTE = 0x00800000;
const POLYNOMIAL = 0xedb88320;

/** Product of two polynomials modulo CRC-32's. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if (a & bit) product ^= b;
    b = b & 1 ? (b >>> 1) ^ POLYNOMIAL : b >>> 1;
  }
  return product >>> 0;
}

/** The sum of bytes that come in pieces, one after the other. */
export class Crc32 {
  /** Of what came so far. */
  value = 0;
  /** Bytes that came so far. */
  length = 0;

  async add(bytes: Uint8Array): Promise<void> {
    this.append(await crc32(bytes), bytes.byteLength);
  }

  append(crc: number, length: number): void {
    this.value = joinCrc32(this.value, crc, length);
    this.length += length;
  }
}
