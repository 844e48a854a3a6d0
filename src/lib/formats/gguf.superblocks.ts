/**
 * GGML's K-quants as float32: 256 elements in parts that have small scales (and minima), which
 * one float16 (or two) scales again. Layouts: block_q2_K to block_q6_K in ggml/src/ggml-common.h;
 * arithmetic and rounding as in `gguf.blocks.ts`.
 */
import { half, type DecodeBlock } from './gguf.blocks.ts';

export const q2_k: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at + 80);
  const dmin = half(bytes, at + 82);
  for (let part = 0; part < 16; part++) {
    const scale = bytes[at + part]!;
    const step = d * (scale & 15);
    const min = dmin * (scale >> 4);
    const quarters = at + 16 + 32 * (part >> 3) + 16 * (part & 1);
    const shift = part & 6;
    for (let i = 0; i < 16; i++) {
      out[to + 16 * part + i] = step * ((bytes[quarters + i]! >> shift) & 3) - min;
    }
  }
};

export const q3_k: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at + 108);
  for (let part = 0; part < 16; part++) {
    const low = (bytes[at + 96 + (part & 7)]! >> (4 * (part >> 3))) & 15;
    const high = (bytes[at + 104 + (part & 3)]! >> (2 * (part >> 2))) & 3;
    const step = d * ((low | (high << 4)) - 32);
    const column = 16 * (part & 1);
    const quarters = at + 32 + 32 * (part >> 3) + column;
    const shift = part & 6;
    for (let i = 0; i < 16; i++) {
      // The third bit is stored the other way round: 0 takes 4 away.
      const third = (bytes[at + column + i]! >> (part >> 1)) & 1;
      out[to + 16 * part + i] = step * (((bytes[quarters + i]! >> shift) & 3) - 4 * (third ^ 1));
    }
  }
};

/** Scale (`first` 0) or minimum (`first` 4) number `part` of Q4_K and Q5_K: 6 bits in 12 bytes. */
function sixBits(bytes: Uint8Array, at: number, part: number, first: 0 | 4): number {
  if (part < 4) return bytes[at + first + part]! & 63;
  const low = (bytes[at + 4 + part]! >> first) & 15;
  return low | ((bytes[at + first + part - 4]! >> 2) & 48);
}

export const q4_k: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at);
  const dmin = half(bytes, at + 2);
  for (let part = 0; part < 8; part++) {
    const step = d * sixBits(bytes, at + 4, part, 0);
    const min = dmin * sixBits(bytes, at + 4, part, 4);
    const pairs = at + 16 + 32 * (part >> 1);
    const shift = 4 * (part & 1);
    for (let i = 0; i < 32; i++) {
      out[to + 32 * part + i] = step * ((bytes[pairs + i]! >> shift) & 15) - min;
    }
  }
};

export const q5_k: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at);
  const dmin = half(bytes, at + 2);
  for (let part = 0; part < 8; part++) {
    const step = d * sixBits(bytes, at + 4, part, 0);
    const min = dmin * sixBits(bytes, at + 4, part, 4);
    const pairs = at + 48 + 32 * (part >> 1);
    const shift = 4 * (part & 1);
    for (let i = 0; i < 32; i++) {
      const fifth = (bytes[at + 16 + i]! >> part) & 1;
      out[to + 32 * part + i] = step * (((bytes[pairs + i]! >> shift) & 15) | (fifth << 4)) - min;
    }
  }
};

export const q6_k: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at + 208);
  for (let part = 0; part < 16; part++) {
    const step = d * ((bytes[at + 192 + part]! << 24) >> 24);
    const column = 16 * (part & 1);
    // Eight runs of 32: their low bits come from two runs of 64 bytes, their high bits from two of 32.
    const run = part >> 1;
    const low = at + 64 * (run >> 2) + 32 * (run & 1) + column;
    const lowShift = 4 * ((run >> 1) & 1);
    const high = at + 128 + 32 * (run >> 2) + column;
    const highShift = 2 * (run & 3);
    for (let i = 0; i < 16; i++) {
      const bits =
        ((bytes[low + i]! >> lowShift) & 15) | (((bytes[high + i]! >> highShift) & 3) << 4);
      out[to + 16 * part + i] = step * (bits - 32);
    }
  }
};
