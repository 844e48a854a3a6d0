/**
 * GGML's quantized blocks as float32: the types whose blocks have one scale (and perhaps a
 * minimum) or scales of their own by formula. Layouts: ggml/src/ggml-common.h; the arithmetic is
 * that of the Python package `gguf` (quants.py), bit for bit. There every product of scale and
 * integer fits in a float32 without rounding, so that computing in doubles and rounding once, at
 * the store into `out`, gives the same numbers.
 */

/** Decodes the block at byte `at` into `out` from element `to` on. */
export type DecodeBlock = (bytes: Uint8Array, at: number, out: Float32Array, to: number) => void;

/** Every float16 as a number, by its bits: a look-up is several times as fast as a DataView. */
const halves = Float32Array.from(
  new Float16Array(Uint16Array.from({ length: 65536 }, (_, bits) => bits).buffer),
);

/** The float16 at byte `at`. */
export function half(bytes: Uint8Array, at: number): number {
  return halves[bytes[at]! | (bytes[at + 1]! << 8)]!;
}

export const q4_0: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at);
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + 2 + i]!;
    out[to + i] = d * ((pair & 15) - 8);
    out[to + 16 + i] = d * ((pair >> 4) - 8);
  }
};

export const q4_1: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at);
  const min = half(bytes, at + 2);
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + 4 + i]!;
    out[to + i] = d * (pair & 15) + min;
    out[to + 16 + i] = d * (pair >> 4) + min;
  }
};

/** Fifth bits of 32 elements, element 0 lowest. */
function bits32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

export const q5_0: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at);
  const high = bits32(bytes, at + 2);
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + 6 + i]!;
    out[to + i] = d * (((pair & 15) | (((high >> i) & 1) << 4)) - 16);
    out[to + 16 + i] = d * (((pair >> 4) | (((high >> (i + 16)) & 1) << 4)) - 16);
  }
};

export const q5_1: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at);
  const min = half(bytes, at + 2);
  const high = bits32(bytes, at + 4);
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + 8 + i]!;
    out[to + i] = d * ((pair & 15) | (((high >> i) & 1) << 4)) + min;
    out[to + 16 + i] = d * ((pair >> 4) | (((high >> (i + 16)) & 1) << 4)) + min;
  }
};

export const q8_0: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at);
  for (let i = 0; i < 32; i++) out[to + i] = d * ((bytes[at + 2 + i]! << 24) >> 24);
};

/** Four bits stand for a place in a table of 16 numbers. */
function lookedUp(
  table: readonly number[],
  d: number,
  bytes: Uint8Array,
  at: number,
  half: number,
  out: Float32Array,
  to: number,
): void {
  for (let i = 0; i < half; i++) {
    const pair = bytes[at + i]!;
    out[to + i] = d * table[pair & 15]!;
    out[to + half + i] = d * table[pair >> 4]!;
  }
}

const nonlinear = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];
/** The numbers of a 4-bit float (E2M1), doubled; its -0 counts as 0. */
const doubledE2m1 = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

export const iq4_nl: DecodeBlock = (bytes, at, out, to) => {
  lookedUp(nonlinear, half(bytes, at), bytes, at + 2, 16, out, to);
};

export const iq4_xs: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at);
  const high = bytes[at + 2]! | (bytes[at + 3]! << 8);
  for (let part = 0; part < 8; part++) {
    const low = (bytes[at + 4 + (part >> 1)]! >> (4 * (part & 1))) & 15;
    const scale = (low | (((high >> (2 * part)) & 3) << 4)) - 32;
    lookedUp(nonlinear, d * scale, bytes, at + 8 + 16 * part, 16, out, to + 32 * part);
  }
};

/** The scale is half of 2^(byte − 127), a whole exponent. */
export const mxfp4: DecodeBlock = (bytes, at, out, to) => {
  lookedUp(doubledE2m1, 2 ** (bytes[at]! - 128), bytes, at + 1, 16, out, to);
};

/** Half of an unsigned 8-bit float with 4 bits of exponent; 0x7f, a NaN elsewhere, counts as 0. */
function halfOfE4m3(byte: number): number {
  const exponent = (byte >> 3) & 15;
  const mantissa = byte & 7;
  if (byte === 0x7f) return 0;
  return exponent === 0 ? mantissa * 2 ** -10 : (1 + mantissa / 8) * 2 ** (exponent - 8);
}

export const nvfp4: DecodeBlock = (bytes, at, out, to) => {
  for (let part = 0; part < 4; part++) {
    const d = halfOfE4m3(bytes[at + part]!);
    lookedUp(doubledE2m1, d, bytes, at + 4 + 8 * part, 8, out, to + 16 * part);
  }
};

/** Five (in the last four bytes: four) ternary digits a byte, as a fraction of 256. */
export const tq1_0: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at + 52);
  const digits = (from: number, count: number, planes: number, first: number) => {
    for (let plane = 0, power = 1; plane < planes; plane++, power *= 3) {
      for (let i = 0; i < count; i++) {
        const shifted = (bytes[at + from + i]! * power) & 255;
        out[to + first + plane * count + i] = d * (((shifted * 3) >> 8) - 1);
      }
    }
  };
  digits(0, 32, 5, 0);
  digits(32, 16, 5, 160);
  digits(48, 4, 4, 240);
};

export const tq2_0: DecodeBlock = (bytes, at, out, to) => {
  const d = half(bytes, at + 64);
  for (let part = 0; part < 2; part++) {
    for (let plane = 0; plane < 4; plane++) {
      for (let i = 0; i < 32; i++) {
        const digit = (bytes[at + 32 * part + i]! >> (2 * plane)) & 3;
        out[to + 128 * part + 32 * plane + i] = d * (digit - 1);
      }
    }
  }
};
