/**
 * What a checkpoint holds, as inert data. Python's scalars map to JavaScript's without loss:
 * None is null, bool boolean, int bigint, float number, str string. Everything else is an object
 * with a `kind`. Nothing here can run: what a pickle would have called is a `call` that says so.
 *
 * Values form a graph: a list that a file holds twice is the same JavaScript object twice, as it
 * would be the same Python object. Walk with a visited set, and never by recursion.
 */
import type { Tensor } from './tensor.ts';

export type Value = null | boolean | bigint | number | string | ObjectValue;

export type ObjectValue =
  Bytes | List | Tuple | SetValue | Dict | Tensor | Complex | Global | Call | PersistentId;

export interface Bytes {
  readonly kind: 'bytes';
  readonly bytes: Uint8Array;
  /** True for a bytearray. */
  readonly mutable: boolean;
}
export interface List {
  readonly kind: 'list';
  readonly items: Value[];
}
export interface Tuple {
  readonly kind: 'tuple';
  /** Filled before anyone sees the tuple; `torch.Size` is a tuple with that name. */
  readonly items: Value[];
  readonly type: 'tuple' | 'torch.Size';
}
export interface SetValue {
  readonly kind: 'set';
  readonly items: Value[];
  readonly frozen: boolean;
}
export interface Complex {
  readonly kind: 'complex';
  readonly real: number;
  readonly imaginary: number;
}
/** A name that the file mentions: `torch.float32`, `os.system`. It is never looked up. */
export interface Global {
  readonly kind: 'global';
  readonly module: string;
  readonly name: string;
}
/** What unpickling would have called, and what it would then have done to the result. */
export interface Call {
  readonly kind: 'call';
  readonly callable: Value;
  readonly args: Value;
  /** `reduce` calls it, `new` makes an instance without `__init__`. */
  readonly how: 'reduce' | 'new';
  /** The argument of `__setstate__` or the attributes to set (BUILD). */
  state?: Value;
  /** What would have been appended or added, and set by key, in order. */
  appended?: Value[];
  entries?: [Value, Value][];
}
/** A reference to something outside of the pickle; in torch files, a storage. */
export interface PersistentId {
  readonly kind: 'persistent';
  id: Value;
}

/** An insertion-ordered mapping with Python's key equality (`1`, `1.0` and `True` are one key). */
export class Dict {
  readonly kind = 'dict';
  type: 'dict' | 'OrderedDict' | 'Counter' | 'defaultdict';
  /** The object's attributes, such as a state_dict's `_metadata`. */
  attributes: Value = null;
  readonly #entries = new Map<string, [Value, Value]>();

  constructor(entries: Iterable<readonly [Value, Value]> = [], type: Dict['type'] = 'dict') {
    this.type = type;
    for (const [key, value] of entries) this.set(key, value);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** As in Python, setting an equal key keeps the first key and its place. */
  set(key: Value, value: Value): this {
    const token = keyToken(key);
    const entry = this.#entries.get(token);
    if (entry) entry[1] = value;
    else this.#entries.set(token, [key, value]);
    return this;
  }

  get(key: Value): Value | undefined {
    return this.#entries.get(keyToken(key))?.[1];
  }

  has(key: Value): boolean {
    return this.#entries.has(keyToken(key));
  }

  delete(key: Value): boolean {
    return this.#entries.delete(keyToken(key));
  }

  entries(): IterableIterator<[Value, Value]> {
    return this.#entries.values();
  }

  *keys(): IterableIterator<Value> {
    for (const [key] of this.#entries.values()) yield key;
  }

  *values(): IterableIterator<Value> {
    for (const [, value] of this.#entries.values()) yield value;
  }
}

const identities = new WeakMap<object, number>();
let lastIdentity = 0;

function identity(object: object): number {
  let id = identities.get(object);
  if (id === undefined) identities.set(object, (id = ++lastIdentity));
  return id;
}

/** A string that is equal for keys that Python holds equal. Mutable objects count by identity. */
function keyToken(key: Value): string {
  if (key === null) return 'None';
  switch (typeof key) {
    case 'string':
      return `s${key}`;
    case 'boolean':
      return key ? 'n1' : 'n0';
    case 'bigint':
      return `n${key}`;
    case 'number':
      return Number.isInteger(key) ? `n${BigInt(key)}` : `n${key}`;
    case 'object':
      // Length prefixes keep ('a', 'b') apart from ('a,sb',).
      if (key.kind === 'tuple' && key.items.every((item) => isScalar(item))) {
        return `t${key.items
          .map(keyToken)
          .map((token) => `${token.length}:${token}`)
          .join('')}`;
      }
      if (key.kind === 'global') return `g${key.module.length}:${key.module}.${key.name}`;
      return `o${identity(key)}`;
    default:
      return key satisfies never;
  }
}

function isScalar(value: Value): boolean {
  return value === null || typeof value !== 'object';
}

/** Whether Python could use the value as a key: lists, dicts, sets and bytearrays have no hash. */
export function isHashable(value: Value): boolean {
  if (value === null || typeof value !== 'object') return true;
  if (value.kind === 'set') return value.frozen;
  if (value.kind === 'bytes') return !value.mutable;
  return value.kind !== 'list' && value.kind !== 'dict';
}

export function isDict(value: Value | undefined): value is Dict {
  return value instanceof Dict;
}

export function isTensor(value: Value | undefined): value is Tensor {
  return typeof value === 'object' && value !== null && value.kind === 'tensor';
}

export function list(...items: Value[]): List {
  return { kind: 'list', items };
}

export function tuple(...items: Value[]): Tuple {
  return { kind: 'tuple', items, type: 'tuple' };
}

/** A plain dict with string keys; the shortest way to write one in code. */
export function dict(entries: Record<string, Value> | Map<string, Value> = {}): Dict {
  return new Dict(entries instanceof Map ? entries : Object.entries(entries));
}
