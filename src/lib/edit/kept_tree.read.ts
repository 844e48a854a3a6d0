/** The way back from `flattenTree`. The text comes from a file: all of it is checked. */
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { FindingError, type Finding } from '#lib/checkpoint/finding.ts';
import {
  isContiguous,
  numel,
  type SparseTensor,
  type Storage,
  type Tensor,
} from '#lib/checkpoint/tensor.ts';
import { Dict, isHashable, isTensor, type List, type Value } from '#lib/checkpoint/value.ts';
import {
  isJsonObject,
  JsonError,
  parseJson,
  type Json,
  type JsonObject,
} from '#lib/formats/json.ts';

/** Names that a finding lists. */
const MAX_LISTED = 4;

/**
 * The tree that a text of `flattenTree` describes, over the tensors of a flat dict. Tensors that it
 * does not name go to the end of the outermost dict, names without a tensor are left out, names
 * that were tied and no longer fit stay apart: findings say so. Tied ones are compared where they are
 * read, and two that differ are an error there. Throws a FindingError for a text that is none.
 */
export function restoreTree(tensors: Dict, text: string): { root: Value; findings: Finding[] } {
  const file = textOf(text);
  const findings: Finding[] = [];
  const held = new Map<string, Tensor>();
  const others: [Value, Value][] = [];
  for (const [key, value] of tensors.entries()) {
    if (typeof key === 'string' && isTensor(value)) held.set(key, value);
    else others.push([key, value]);
  }
  const untied = tieAgain(held, file.ties);
  findings.push(...told('unflatten-untied', untied, 'no longer fits the one that it was tied to'));
  const reader = new TreeReader(held);
  const root = reader.value(file.tree);
  findings.push(...told('unflatten-missing', reader.missing, 'is in the tree, not in the file'));
  const left = [...held].filter(([name]) => !reader.used.has(name));
  findings.push(
    ...told(
      'unflatten-unnamed',
      left.map(([name]) => name),
      'is not in the tree',
    ),
  );
  if (left.length + others.length > 0) {
    if (!(root instanceof Dict)) throw broken('it is no dict, and names not every tensor');
    for (const [key, value] of [...left, ...others]) {
      if (root.has(key))
        throw broken(
          `something else has the place of ${typeof key === 'string' ? JSON.stringify(key) : 'a key that is no text'}`,
        );
      root.set(key, value);
    }
  }
  return { root: root ?? null, findings };
}

function broken(what: string): FindingError {
  return new FindingError({
    code: 'unflatten-tree',
    message: `unflatten: the tree in the file's metadata is damaged: ${what}`,
    advice:
      'Delete the entry weightroom.tree of the metadata: keys are then split at the separator.',
  });
}

function textOf(text: string): { ties: readonly Json[]; tree: Json } {
  let json: Json;
  try {
    json = parseJson(new TextEncoder().encode(text));
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw broken(error.message);
  }
  const fields = fieldsOf(json);
  if (fields.get('version') !== 1n) throw broken('its version is not 1');
  const ties = fields.get('ties');
  const tree = fields.get('tree');
  if (!Array.isArray(ties) || tree === undefined) throw broken('it lacks ties or the tree');
  return { ties, tree };
}

function fieldsOf(json: Json | undefined): Map<string, Json> {
  if (!isJsonObject(json)) throw broken('expected an object');
  return new Map(json.pairs);
}

function told(code: string, names: readonly string[], what: string): Finding[] {
  if (names.length === 0) return [];
  const shown = names
    .slice(0, MAX_LISTED)
    .map((name) => JSON.stringify(name))
    .join(', ');
  const more = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : '';
  return [{ code, severity: 'warning', message: `unflatten: ${shown}${more} ${what}` }];
}

/** Has the names of each group share a storage; gives those that cannot. */
function tieAgain(held: Map<string, Tensor>, ties: readonly Json[]): string[] {
  const untied: string[] = [];
  for (const group of ties) {
    const [first, ...names] = strings(group);
    const owner = held.get(first ?? '');
    if (!owner) continue;
    const isWhole = (it: Tensor) =>
      isContiguous(it) &&
      it.offset === 0 &&
      it.storage.byteLength === numel(it.shape) * itemsize(it.dtype);
    const fits = (name: string): boolean => {
      const it = held.get(name);
      const isSame = it?.dtype === owner.dtype && it.shape.join() === owner.shape.join();
      return it !== undefined && isSame && isWhole(it) && isWhole(owner);
    };
    const tied = names.filter(fits);
    untied.push(...names.filter((name) => held.has(name) && !fits(name)));
    if (tied.length === 0) continue;
    const copies = tied.map((name) => ({ name, storage: held.get(name)!.storage }));
    const storage = agreeing({ name: first!, storage: owner.storage }, copies);
    for (const name of [first!, ...tied]) held.set(name, { ...held.get(name)!, storage });
  }
  return untied;
}

interface Named {
  readonly name: string;
  readonly storage: Storage;
}

/** The first storage, as long as the others hold the same bytes: someone may have changed one. */
function agreeing(first: Named, copies: readonly Named[]): Storage {
  return {
    ...first.storage,
    async read(start, end, signal) {
      const bytes = await first.storage.read(start, end, signal);
      for (const copy of copies) {
        const other = await copy.storage.read(start, end, signal);
        if (!isEqual(bytes, other)) {
          throw new FindingError({
            code: 'unflatten-tie',
            where: copy.name,
            message: `unflatten: ${JSON.stringify(copy.name)} was tied to ${JSON.stringify(first.name)} and has other elements now`,
            advice:
              'Delete the entry weightroom.tree of the metadata, and split keys at the separator.',
          });
        }
      }
      return bytes;
    },
  };
}

function isEqual(one: Uint8Array, two: Uint8Array): boolean {
  return one.length === two.length && one.every((byte, at) => byte === two[at]);
}

function strings(json: Json | undefined): string[] {
  if (!Array.isArray(json)) throw broken('expected a list of names');
  return json.map(string);
}

function string(json: Json | undefined): string {
  if (typeof json !== 'string') throw broken('expected a text');
  return json;
}

const layouts = new Set(['sparse_coo', 'sparse_csr', 'sparse_csc', 'sparse_bsr', 'sparse_bsc']);
const floats = new Map([
  ['nan', NaN],
  ['inf', Infinity],
  ['-inf', -Infinity],
]);

class TreeReader {
  readonly used = new Set<string>();
  readonly missing: string[] = [];
  readonly #held: ReadonlyMap<string, Tensor>;
  /** Lists, dicts and sets in order of appearance. */
  readonly #containers: Value[] = [];

  constructor(held: ReadonlyMap<string, Tensor>) {
    this.#held = held;
  }

  /** Undefined for a tensor that is gone. */
  value(json: Json): Value | undefined {
    if (json === null || typeof json !== 'object') return json;
    if (Array.isArray(json)) return this.#list({ kind: 'list', items: [] }, json);
    return this.#object(json);
  }

  #object(json: JsonObject): Value | undefined {
    const [kind, first] = json.pairs[0] ?? ['', null];
    const fields = fieldsOf(json);
    switch (kind) {
      case 'tensor':
        return this.#tensor(string(first), fields);
      case 'dict':
        return this.#dict(first, fields);
      case 'tuple':
        return { kind: 'tuple', type: 'tuple', items: this.#items(first) };
      case 'size':
        return { kind: 'tuple', type: 'torch.Size', items: this.#items(first) };
      case 'set':
        return this.#list({ kind: 'set', items: [], frozen: false }, first);
      case 'float': {
        const value = floats.get(string(first));
        if (value === undefined) throw broken('an unknown float');
        return value;
      }
      case 'complex': {
        const [real, imaginary] = this.#items(first);
        if (typeof real !== 'number' || typeof imaginary !== 'number') {
          throw broken('a complex number is no pair of floats');
        }
        return { kind: 'complex', real, imaginary };
      }
      case 'bytes':
      case 'bytearray':
        return { kind: 'bytes', bytes: bytesOf(string(first)), mutable: kind === 'bytearray' };
      case 'global': {
        const [module, name] = strings(first);
        return { kind: 'global', module: string(module), name: string(name) };
      }
      case 'call':
        return {
          kind: 'call',
          callable: this.#present(first),
          args: this.#present(fields.get('args') ?? null),
          how: 'reduce',
        };
      case 'sparse':
        return this.#sparse(string(first), fields);
      case 'ref': {
        const known = typeof first === 'bigint' ? this.#containers[Number(first)] : undefined;
        if (known === undefined) throw broken('a reference leads nowhere');
        return known;
      }
      default:
        throw broken(`an object of the unknown kind ${JSON.stringify(kind)}`);
    }
  }

  #present(json: Json): Value {
    return this.value(json) ?? null;
  }

  /** Where a tensor is gone, None keeps the places of the others. */
  #items(json: Json): Value[] {
    if (!Array.isArray(json)) throw broken('expected a list');
    return json.map((item) => this.#present(item));
  }

  #list(empty: List | Extract<Value, { kind: 'set' }>, json: Json): Value {
    this.#containers.push(empty);
    for (const item of this.#items(json)) empty.items.push(item);
    return empty;
  }

  #dict(json: Json, fields: ReadonlyMap<string, Json>): Dict {
    const type = fields.get('type') ?? 'dict';
    if (type !== 'dict' && type !== 'OrderedDict' && type !== 'Counter') {
      throw broken('a dict of an unknown type');
    }
    const dict = new Dict([], type);
    this.#containers.push(dict);
    if (!Array.isArray(json)) throw broken('expected a list of entries');
    for (const pair of json) {
      if (!Array.isArray(pair) || pair.length !== 2) throw broken('an entry is no pair');
      const key = this.#present(pair[0]!);
      const value = this.value(pair[1]!);
      if (!isHashable(key)) throw broken('a key has no hash');
      if (value !== undefined) dict.set(key, value);
    }
    dict.attributes = this.#present(fields.get('attributes') ?? null);
    return dict;
  }

  #tensor(name: string, fields: ReadonlyMap<string, Json>): Tensor | undefined {
    this.used.add(name);
    const held = this.#held.get(name);
    if (!held) {
      this.missing.push(name);
      return undefined;
    }
    const state = fields.get('state');
    return {
      ...held,
      parameter: fields.get('parameter') === true,
      requiresGrad: fields.get('requires_grad') === true,
      ...(state !== undefined && { state: this.#present(state) }),
    };
  }

  #sparse(layout: string, fields: ReadonlyMap<string, Json>): SparseTensor | undefined {
    if (!layouts.has(layout)) throw broken('an unknown sparse layout');
    const shape = this.#items(fields.get('shape') ?? []).map(Number);
    const parts = fields.get('parts');
    if (!Array.isArray(parts)) throw broken('a sparse tensor has no parts');
    const made = parts.map((pair): [string, Value | undefined] => {
      if (!Array.isArray(pair) || pair.length !== 2) throw broken('a part is no pair');
      return [string(pair[0]), this.value(pair[1]!)];
    });
    if (made.some(([, part]) => part === undefined)) return undefined;
    const coalesced = fields.get('coalesced');
    return {
      kind: 'sparse',
      layout: layout as SparseTensor['layout'],
      shape,
      parts: made.map(([name, part]) => {
        if (!isTensor(part)) throw broken('a part is no tensor');
        return [name, part];
      }),
      ...(typeof coalesced === 'boolean' && { coalesced }),
      parameter: fields.get('parameter') === true,
      requiresGrad: fields.get('requires_grad') === true,
    };
  }
}

function bytesOf(base64: string): Uint8Array {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    throw broken('bytes are no base64');
  }
}
