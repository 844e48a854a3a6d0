/** The numbers and texts of a pickle: two's complement integers, lines, UTF-8 with surrogates. */

/** A cursor over a pickle's bytes that never reads past the end. */
export class PickleBytes {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #advance(size: number): number {
    const at = this.at;
    if (size > this.bytes.length - at) {
      throw new RangeError(`${size} bytes are needed, ${this.bytes.length - at} remain`);
    }
    this.at = at + size;
    return at;
  }
  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }
  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }
  i32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }
  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }
  /** A 64-bit length; one beyond the remaining bytes is refused before anything is allocated. */
  length64(): number {
    const value = this.#view.getBigUint64(this.#advance(8), true);
    const remain = this.bytes.length - this.at;
    if (value > BigInt(remain)) throw new RangeError(`${value} bytes are needed, ${remain} remain`);
    return Number(value);
  }
  /** Big-endian, as pickle's BINFLOAT is. */
  f64(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }
  take(size: number): Uint8Array {
    const at = this.#advance(size);
    return this.bytes.subarray(at, at + size);
  }
  /** Up to the next newline, which is consumed and not returned. */
  line(): string {
    return decodeUtf8(this.#line());
  }
  /** The same with a character for each byte. */
  latin1Line(): string {
    return decodeLatin1(this.#line());
  }
  #line(): Uint8Array {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw new RangeError('a line has no end');
    const line = this.bytes.subarray(this.at, end);
    this.at = end + 1;
    return line;
  }
}

/** `TextDecoder`'s latin1 is Windows' code page; Python's is the first 256 characters. */
function decodeLatin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8 as Python's `surrogatepass` decodes it: lone surrogates are kept. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeSurrogates(bytes);
  }
}

/** TextDecoder refuses encoded surrogates (ED A0…BF xx); everything else goes through it. */
function decodeSurrogates(bytes: Uint8Array): string {
  let text = '';
  let from = 0;
  for (let at = 0; at + 2 < bytes.length; at++) {
    const isSurrogate =
      bytes[at] === 0xed && bytes[at + 1]! >> 5 === 5 && bytes[at + 2]! >> 6 === 2;
    if (!isSurrogate) continue;
    text += strict.decode(bytes.subarray(from, at));
    text += String.fromCharCode(0xd000 | ((bytes[at + 1]! & 0x3f) << 6) | (bytes[at + 2]! & 0x3f));
    from = at + 3;
    at += 2;
  }
  return text + strict.decode(bytes.subarray(from));
}

/** The inverse of `decodeUtf8`: lone surrogates become three bytes each, as Python writes them. */
export function encodeUtf8(text: string): Uint8Array {
  if (text.isWellFormed()) return new TextEncoder().encode(text);
  const out: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code >= 0xd800 && code < 0xe000) {
      out.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
    } else {
      out.push(...new TextEncoder().encode(character));
    }
  }
  return Uint8Array.from(out);
}

/** A little-endian two's complement integer of any length, as LONG1 and LONG4 hold it. */
export function decodeLong(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n;
  let hex = '0x';
  for (let at = bytes.length - 1; at >= 0; at--) hex += bytes[at]!.toString(16).padStart(2, '0');
  return BigInt.asIntN(bytes.length * 8, BigInt(hex));
}

/** The shortest little-endian two's complement form of `value`; 0 has no bytes, as in Python. */
export function encodeLong(value: bigint): Uint8Array {
  if (value === 0n) return new Uint8Array();
  const magnitude = value < 0n ? ~value : value;
  const size = Math.floor(magnitude.toString(2).length / 8) + 1;
  const hex = BigInt.asUintN(size * 8, value)
    .toString(16)
    .padStart(size * 2, '0');
  return Uint8Array.from({ length: size }, (_, index) => {
    const digit = hex.length - 2 * (index + 1);
    return parseInt(hex.slice(digit, digit + 2), 16);
  });
}
