/**
 * The header of a .npy file: a Python dict of three keys, as numpy/lib/_format_impl.py writes and
 * checks it. It is read token by token along that grammar and never evaluated. Spaces, the order of
 * the keys, a trailing comma and Python 2's `10L` are free; comments, hexadecimal numbers and
 * escaped keys, which Python's literal_eval would take as well and NumPy never writes, are not.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';

export interface NpyHeader {
  /** `<f4`; or the types within a record's or sub-array's description, which no tensor can hold. */
  readonly descr: string | { readonly types: readonly string[] };
  readonly fortran: boolean;
  /** As written: negative and huge sizes too. */
  readonly shape: readonly bigint[];
}

const DAMAGED = 'The file is damaged or its download did not finish: get it again.';

/** What is wrong with a .npy file; `code` without the format's name. */
export function npyError(code: string, message: string, advice = DAMAGED): FindingError {
  return new FindingError({ code: `npy-${code}`, message: `npy: ${message}`, advice });
}

const TOKEN = /[{}()[\]:,]|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|-?(?:0|[1-9]\d*)L?|True|False/y;
const SPACE = /[ \t\r\n\f]*/y;
const KEYS = ['descr', 'fortran_order', 'shape'];

/**
 * Reads the header's text. `longs` says whether an integer may end in L, as in files of versions 1
 * and 2. Throws a FindingError that names the character.
 */
export function parseNpyHeader(text: string, longs: boolean): NpyHeader {
  return new Parser(text, longs).parse();
}

class Parser {
  readonly #text: string;
  readonly #longs: boolean;
  #at = 0;
  /** The token at hand, empty at the end, and where it begins. */
  #token = '';
  #start = 0;

  constructor(text: string, longs: boolean) {
    this.#text = text;
    this.#longs = longs;
    this.#advance();
  }

  parse(): NpyHeader {
    const found: { -readonly [K in keyof NpyHeader]?: NpyHeader[K] } = {};
    const seen = new Set<string>();
    this.#expect('{');
    while (this.#token !== '}') {
      const key = this.#string('a key');
      if (seen.has(key)) {
        throw npyError('duplicate-key', `the header has two keys ${JSON.stringify(key)}`);
      }
      seen.add(key);
      this.#expect(':');
      if (key === 'descr') found.descr = this.#descr();
      else if (key === 'fortran_order') found.fortran = this.#boolean();
      else if (key === 'shape') found.shape = this.#integers();
      else throw npyError('keys', `the header has the unknown key ${JSON.stringify(key)}`);
      if (!this.#take(',')) break;
    }
    this.#expect('}');
    if (this.#token !== '') this.#fail('the end');
    const { descr, fortran, shape } = found;
    if (descr === undefined || fortran === undefined || shape === undefined) {
      const missing = KEYS.filter((key) => !seen.has(key));
      throw npyError('keys', `the header lacks ${missing.join(' and ')}`);
    }
    return { descr, fortran, shape };
  }

  #advance(): void {
    SPACE.lastIndex = this.#at;
    SPACE.exec(this.#text);
    this.#start = TOKEN.lastIndex = SPACE.lastIndex;
    const match = TOKEN.exec(this.#text);
    if (!match && this.#start < this.#text.length) this.#fail('a token');
    this.#token = match?.[0] ?? '';
    this.#at = this.#start + this.#token.length;
  }

  #fail(expected: string): never {
    const rest = this.#text.slice(this.#start, this.#start + 20).trim();
    const found = rest === '' ? 'the end' : JSON.stringify(rest);
    throw npyError(
      'header',
      `character ${this.#start} of the header: found ${found}, expected ${expected}`,
    );
  }

  #take(token: string): boolean {
    if (this.#token !== token) return false;
    this.#advance();
    return true;
  }

  #expect(token: string): void {
    if (!this.#take(token)) this.#fail(JSON.stringify(token));
  }

  #string(what: string): string {
    const token = this.#token;
    if (!/^['"]/.test(token)) this.#fail(what);
    this.#advance();
    return token.slice(1, -1);
  }

  #boolean(): boolean {
    const value = this.#token === 'True';
    if (!value && this.#token !== 'False') this.#fail('True or False');
    this.#advance();
    return value;
  }

  /** A tuple: one integer has a comma behind it. */
  #integers(): bigint[] {
    const integers: bigint[] = [];
    let comma = false;
    this.#expect('(');
    while (this.#token !== ')') {
      if (integers.length > 0 && !comma) this.#fail('","');
      integers.push(this.#integer());
      comma = this.#take(',');
    }
    if (integers.length === 1 && !comma) this.#fail('","');
    this.#advance();
    return integers;
  }

  #integer(): bigint {
    const token = this.#token;
    const isLong = token.endsWith('L');
    if (!/^-?\d/.test(token) || (isLong && !this.#longs)) this.#fail('an integer');
    this.#advance();
    return BigInt(isLong ? token.slice(0, -1) : token);
  }

  /** A type, or whatever is bracketed; of that, the texts that stand where types do. */
  #descr(): NpyHeader['descr'] {
    if (!/^[[(]/.test(this.#token)) return this.#string('a dtype');
    const types: string[] = [];
    const closers: string[] = [];
    let before = '';
    do {
      const token = this.#token;
      if (token === '[' || token === '(') closers.push(token === '[' ? ']' : ')');
      else if (token === ']' || token === ')') {
        if (token !== closers.pop()) this.#fail('another bracket');
      } else if (token === '') this.#fail('a closing bracket');
      else if (/^['"]/.test(token) && before === ',') types.push(token.slice(1, -1));
      before = token;
      this.#advance();
    } while (closers.length > 0);
    return { types };
  }
}
