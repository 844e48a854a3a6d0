/**
 * A strict JSON reader (RFC 8259) for headers that nobody vouches for. Unlike JSON.parse it keeps
 * integers exact (bigint), keeps duplicate keys (the caller decides), needs UTF-8, and bounds the
 * nesting. Objects are lists of pairs, so a key `__proto__` is a key like any other.
 */
export type Json = null | boolean | bigint | number | string | Json[] | JsonObject;

export interface JsonObject {
  readonly pairs: readonly (readonly [string, Json])[];
}

/** safetensors' own reader stops at 128 levels (serde_json). */
const MAX_DEPTH = 128;
/** Digits of an integer; 64-bit lengths and offsets have 20. More take long to turn into a bigint. */
const MAX_DIGITS = 1000;

/** What is wrong with a JSON text, and of what kind it is. */
export class JsonError extends SyntaxError {
  readonly reason: 'utf8' | 'depth' | 'syntax';
  constructor(reason: JsonError['reason'], message: string) {
    super(message);
    this.name = 'JsonError';
    this.reason = reason;
  }
}

/** Reads one JSON text. Throws a JsonError that names the character. */
export function parseJson(bytes: Uint8Array): Json {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new JsonError('utf8', 'not UTF-8');
  }
  return new Parser(text).parse();
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && 'pairs' in value;
}

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
// eslint-disable-next-line no-control-regex -- a JSON string holds no raw control characters
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPES: Record<string, string> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Json {
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) this.#fail('something follows the value');
    return value;
  }

  #fail(what: string, reason: JsonError['reason'] = 'syntax'): never {
    throw new JsonError(reason, `character ${this.#at}: ${what}`);
  }

  #space(): void {
    while (' \t\n\r'.includes(this.#text[this.#at] ?? 'x')) this.#at++;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #expect(character: string): void {
    if (!this.#take(character)) this.#fail(`expected ${JSON.stringify(character)}`);
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match) this.#at = pattern.lastIndex;
    return match;
  }

  #value(): Json {
    this.#space();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#nested(() => this.#object());
      case '[':
        return this.#nested(() => this.#array());
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH) this.#fail(`nested deeper than ${MAX_DEPTH}`, 'depth');
    this.#at++;
    const value = read();
    this.#depth--;
    return value;
  }

  #object(): JsonObject {
    const pairs: [string, Json][] = [];
    this.#space();
    if (this.#take('}')) return { pairs };
    do {
      this.#space();
      if (this.#text[this.#at] !== '"') this.#fail('expected a key');
      const key = this.#string();
      this.#space();
      this.#expect(':');
      pairs.push([key, this.#value()]);
      this.#space();
    } while (this.#take(','));
    this.#expect('}');
    return { pairs };
  }

  #array(): Json[] {
    const items: Json[] = [];
    this.#space();
    if (this.#take(']')) return items;
    do {
      items.push(this.#value());
      this.#space();
    } while (this.#take(','));
    this.#expect(']');
    return items;
  }

  #word<T extends Json>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#fail('unknown word');
    this.#at += word.length;
    return value;
  }

  #number(): bigint | number {
    const match = this.#match(NUMBER);
    if (!match) this.#fail('expected a value');
    const [text, fraction, exponent] = match;
    const exact = fraction === undefined && exponent === undefined && text !== '-0';
    if (exact && text.length > MAX_DIGITS) this.#fail(`an integer of ${text.length} digits`);
    return exact ? BigInt(text) : Number(text);
  }

  #string(): string {
    this.#at++;
    let out = '';
    for (;;) {
      out += this.#match(PLAIN)![0];
      const next = this.#text[this.#at++];
      if (next === '"') return out;
      if (next !== '\\') {
        this.#at--;
        this.#fail(next === undefined ? 'a string has no end' : 'control character in a string');
      }
      out += this.#escape();
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at++] ?? '';
    if (letter !== 'u') {
      return ESCAPES[letter] ?? this.#fail(`unknown escape ${JSON.stringify(letter)}`);
    }
    const digits = this.#match(/[0-9a-fA-F]{4}/y);
    if (!digits) this.#fail('\\u needs four hexadecimal digits');
    return String.fromCharCode(parseInt(digits[0], 16));
  }
}
