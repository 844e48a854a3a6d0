/** Numbers and strings as the text protocols (0 and 1) and Python 2 write them. */
import type { Value } from '#lib/checkpoint/value.ts';

/** CPython turns at most this many digits of text into an int (sys.int_info.default_max_str_digits). */
const MAX_INT_DIGITS = 4300;

/** An int with the prefixes of Python's literals; one that begins with 0 is octal, as in C. */
export function textToInt(text: string): bigint {
  const [, sign, digits] =
    /^\s*([+-]?)(0[xX][\da-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|\d+)\s*$/.exec(text) ?? [];
  if (digits === undefined || text.length > MAX_INT_DIGITS) {
    throw new TypeError(`${JSON.stringify(text.slice(0, 40))} is no int`);
  }
  const value = BigInt(digits.replace(/^0+(?=[0-7]+$)/, '0o'));
  return sign === '-' ? -value : value;
}

export function textToIndex(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new TypeError(`${JSON.stringify(text)} is no memo index`);
  return Number(text);
}

export function textToFloat(text: string): number {
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
  if (special)
    return (special[2]!.toLowerCase() === 'nan' ? NaN : Infinity) * (special[1] === '-' ? -1 : 1);
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    throw new TypeError(`${JSON.stringify(text.slice(0, 40))} is no float`);
  }
  return Number(text);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Python 2's str: text where the bytes are UTF-8, else bytes. */
export function byteString(bytes: Uint8Array): Value {
  try {
    return utf8.decode(bytes);
  } catch {
    return { kind: 'bytes', bytes, mutable: false };
  }
}

/** The `raw-unicode-escape` codec of UNICODE: only \uXXXX and \UXXXXXXXX are escapes. */
export function unescapeRaw(text: string): string {
  return text.replace(
    /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/gs,
    (whole, short, long, other) => {
      if (other === undefined) return String.fromCodePoint(parseInt(short ?? long, 16));
      if (other === 'u' || other === 'U') throw new TypeError('UNICODE with a broken escape');
      return whole;
    },
  );
}

const simpleEscapes: Record<string, string> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
};

/** The bytes of a quoted Python 2 string literal with backslash escapes (STRING). */
export function unquote(line: string): Uint8Array {
  const quoted = /^(['"])(.*)\1$/s.exec(line.trim());
  if (!quoted) throw new TypeError('STRING without quotes');
  const text = quoted[2]!.replace(
    /\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3})|(.))/gs,
    (whole, hex, octal, simple) => {
      if (hex) return String.fromCharCode(parseInt(hex, 16));
      if (octal) return String.fromCharCode(parseInt(octal, 8) & 0xff);
      return simpleEscapes[simple as string] ?? whole;
    },
  );
  return Uint8Array.from(text, (character) => {
    const code = character.codePointAt(0)!;
    if (code > 0xff) throw new TypeError('STRING with a character that is no byte');
    return code;
  });
}
