/** What the JSON of a .pt2 archive holds, asked for by what it must be. Names stay in Maps. */
import { FindingError } from '#lib/checkpoint/finding.ts';
import { isJsonObject, parseJson, type Json } from './json.ts';

export function jsonOf(bytes: Uint8Array, record: string): Json {
  try {
    return parseJson(bytes);
  } catch (error) {
    throw broken(record, `is no JSON: ${(error as Error).message}`);
  }
}

/** The entries of a JSON object, each asked for by what it must be. */
export class Fields {
  readonly entries = new Map<string, Json>();
  readonly #record: string;
  readonly #what: string;

  constructor(json: Json | undefined, record: string, what: string) {
    this.#record = record;
    this.#what = what;
    if (!isJsonObject(json)) throw this.wrong('is no object');
    for (const [key, value] of json.pairs) {
      if (this.entries.has(key)) throw this.wrong(`has two keys ${JSON.stringify(key)}`);
      this.entries.set(key, value);
    }
  }

  wrong(what: string): FindingError {
    return broken(this.#record, `: ${this.#what} ${what}`);
  }

  isNull(key: string): boolean {
    return (this.entries.get(key) ?? null) === null;
  }
  object(key: string): Fields {
    return new Fields(this.entries.get(key), this.#record, `${this.#what}: ${JSON.stringify(key)}`);
  }
  /** A union: an object with one entry that says what it is. */
  get union(): { readonly tag: string; readonly value: Json } {
    const [entry, ...others] = [...this.entries].filter(([, value]) => value !== null);
    const [first] = this.entries;
    // `as_none` may hold nothing.
    const [tag, value] = entry ?? first ?? [];
    if (tag === undefined || others.length > 0) throw this.wrong('is no union with one entry');
    return { tag, value: value ?? null };
  }
  /** The objects of a list. */
  objects(key: string): Fields[] {
    const what = `${this.#what}: ${JSON.stringify(key)}`;
    return this.list(key).map((item) => new Fields(item, this.#record, what));
  }
  list(key: string): readonly Json[] {
    const value = this.entries.get(key);
    if (!Array.isArray(value)) throw this.wrong(`has no list ${JSON.stringify(key)}`);
    return value;
  }
  text(key: string): string {
    const value = this.entries.get(key);
    if (typeof value !== 'string') throw this.wrong(`has no text ${JSON.stringify(key)}`);
    return value;
  }
  flag(key: string): boolean {
    const value = this.entries.get(key);
    if (typeof value !== 'boolean') throw this.wrong(`has no true or false ${JSON.stringify(key)}`);
    return value;
  }
  integer(key: string): bigint {
    const value = this.entries.get(key);
    if (typeof value !== 'bigint') throw this.wrong(`has no integer ${JSON.stringify(key)}`);
    return value;
  }
  /** A list of `{"as_int": …}`. Sizes of weights are never expressions. */
  integers(key: string): bigint[] {
    return this.objects(key).map((item) => item.integer('as_int'));
  }
}

function broken(record: string, message: string): FindingError {
  return new FindingError({
    code: 'pt2-broken',
    where: record,
    message: `pt2: record ${JSON.stringify(record)}${message.startsWith(':') ? '' : ' '}${message}`,
    advice:
      'The file is damaged or was not written by torch.export: get it again, or save it again.',
  });
}
