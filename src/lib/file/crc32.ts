/**
 * CRC-32 as zip, gzip and PNG use it (reflected polynomial 0xEDB88320, RFC 1952 section 8), eight
 * bytes a round ("slicing by 8": eight tables, so that the rounds do not wait for one another).
 */
const tables = makeTables();

function makeTables(): Uint32Array[] {
  const first = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    first[byte] = crc;
  }
  const all = [first];
  for (let k = 1; k < 8; k++) {
    all.push(all[k - 1]!.map((crc) => (crc >>> 8) ^ first[crc & 0xff]!));
  }
  return all;
}

/** CRC-32 of `bytes`, going on from `crc`, the result for the bytes before (0 at the start). */
export function crc32(bytes: Uint8Array, crc = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  let c = ~crc;
  let at = 0;
  for (const end = bytes.length - 7; at < end; at += 8) {
    const low =
      c ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
    c =
      t7[low & 0xff]! ^
      t6[(low >>> 8) & 0xff]! ^
      t5[(low >>> 16) & 0xff]! ^
      t4[low >>> 24]! ^
      t3[bytes[at + 4]!]! ^
      t2[bytes[at + 5]!]! ^
      t1[bytes[at + 6]!]! ^
      t0[bytes[at + 7]!]!;
  }
  for (; at < bytes.length; at++) c = (c >>> 8) ^ t0[(c ^ bytes[at]!) & 0xff]!;
  return ~c >>> 0;
}
