/**
 * What a checkpoint holds, as inert data. Python's scalars map to JavaScript's without loss:
 * None is null, bool boolean, int bigint, float number, str string. Everything else is an object
 * with a `kind`. Nothing here can run: what a pickle would have called is a `call` that says so.
 *
 * Values form a graph: a list that a file holds twice is the same JavaScript object twice, as it
 * would be the same Python object. Walk with a visited set, and never by recursion.
 */
import type { Dtype } from './dtype.ts';
import type { SparseTensor, Storage, Tensor } from './tensor.ts';

export type Value = null | boolean | bigint | number | string | ObjectValue;

export type ObjectValue =
  | Bytes
  | List
  | Tuple
  | SetValue
  | Dict
  | Tensor
  | SparseTensor
  | Complex
  | Global
  | Call
  | PersistentId;

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
  /** What it refers to in torch's files. */
  storage?: StorageView;
}
/** A storage, or a part of one, as elements of a dtype. */
export interface StorageView {
  readonly storage: Storage;
  readonly dtype: Dtype | 'untyped';
  /** In elements, or bytes where it is untyped. */
  readonly offset: number;
  readonly numel: number;
}

/** An insertion-ordered mapping with Python's key equality (`1`, `1.0` and `True` are one key). */
export class Dict {
  readonly kind = 'dict';
  type: 'dict' | 'OrderedDict' | 'Counter' | 'defaultdict';
  /** The object's attributes, such as a state_dict's `_metadata`. */
  attributes: Value = null;
  /** Made for the first entry: a file holds as many empty dicts (of hooks) as tensors. */
  #entries: Map<unknown, [Value, Value]> | undefined;

  constructor(entries: Iterable<readonly [Value, Value]> = [], type: Dict['type'] = 'dict') {
    this.type = type;
    for (const [key, value] of entries) this.set(key, value);
  }

  get size(): number {
    return this.#entries?.size ?? 0;
  }

  /** As in Python, setting an equal key keeps the first key and its place. */
  set(key: Value, value: Value): this {
    this.#entries ??= new Map();
    const same = sameKey(key);
    const entry = this.#entries.get(same);
    if (entry) entry[1] = value;
    else this.#entries.set(same, [key, value]);
    return this;
  }

  get(key: Value): Value | undefined {
    return this.#entries?.get(sameKey(key))?.[1];
  }

  has(key: Value): boolean {
    return this.#entries?.has(sameKey(key)) ?? false;
  }

  delete(key: Value): boolean {
    return this.#entries?.delete(sameKey(key)) ?? false;
  }

  entries(): IterableIterator<[Value, Value]> {
    return this.#entries?.values() ?? [].values();
  }

  *keys(): IterableIterator<Value> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): IterableIterator<Value> {
    for (const [, value] of this.entries()) yield value;
  }
}

/** Texts of keys that are no strings begin with this, as do those of strings that begin with it. */
const MARK = '\0';

/**
 * Something that a Map holds equal for keys that Python holds equal. Bytes, frozensets, complex
 * numbers and tuples of objects count by identity. Strings stand for themselves: the engine keeps
 * their hash, so that a long one costs nothing the second time.
 */
function sameKey(key: Value): unknown {
  if (key === null) return null;
  switch (typeof key) {
    case 'string':
      return key.startsWith(MARK) ? `${MARK}s${key}` : key;
    case 'boolean':
      return key ? 1n : 0n;
    case 'bigint':
      return key;
    case 'number':
      return Number.isInteger(key) ? BigInt(key) : key;
    case 'object':
      return key.kind === 'tuple' || key.kind === 'global' ? madeKey(key) : key;
    default:
      return key satisfies never;
  }
}

/** Tuples and globals do not change: what stands for one is made once, however often it is a key. */
const madeKeys = new WeakMap<Tuple | Global, unknown>();

function madeKey(key: Tuple | Global): unknown {
  let made = madeKeys.get(key);
  if (made === undefined) {
    if (key.kind === 'global') made = `${MARK}g${key.module.length}:${key.module}.${key.name}`;
    else made = key.items.every(isScalar) ? `${MARK}t${key.items.map(itemText).join('')}` : key;
    madeKeys.set(key, made);
  }
  return made;
}

/** The length in front keeps ('a', 'b') apart from ('a,sb',). */
function itemText(item: Value): string {
  const same = sameKey(item);
  const text = `${typeof same}${String(same)}`;
  return `${text.length}:${text}`;
}

/** Whether the value is None, a bool, a number or a string. */
export function isScalar(value: Value): value is Exclude<Value, ObjectValue> {
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

export function isSparse(value: Value | undefined): value is SparseTensor {
  return typeof value === 'object' && value?.kind === 'sparse';
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
