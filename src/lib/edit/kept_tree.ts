/**
 * A tree of values as a flat dict of tensors, and the rest of it as one JSON text for a container
 * that holds nothing but tensors and free texts, as safetensors. Nested dicts, plain values, keys
 * that are no strings, ties, parameters and attributes come back from it as they were.
 *
 * The text is `{"version": 1, "ties": [[name, …], …], "tree": VALUE}`: names of tensors that are one
 * another's, written out under each, and the tree. A VALUE is a JSON null, true, false or string;
 * an integer for an int, a number with a point or an exponent for a float; an array for a list; else
 * an object whose first key says what it is:
 *
 *     {"tensor": name}, with "parameter", "requires_grad": true and "state": VALUE where they are set
 *     {"dict": [[KEY, VALUE], …]}, with "type": "OrderedDict" | "Counter", "attributes": VALUE
 *     {"tuple": […]}  {"size": […]}  {"set": […]}
 *     {"float": "nan" | "inf" | "-inf"}  {"complex": [VALUE, VALUE]}
 *     {"bytes": base64}  {"bytearray": base64}
 *     {"global": [module, name]}  {"call": VALUE of the callable, "args": VALUE}
 *     {"sparse": layout, "shape": […], "parts": [[name, VALUE], …]}, with "coalesced", "parameter" …
 *     {"ref": n}: the n-th list, dict or set in order of appearance, from 0, once more
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { SparseTensor, Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, isTensor, type Bytes, type ObjectValue, type Value } from '#lib/checkpoint/value.ts';

/** The key of the text among the free texts of a file. */
export const TREE_KEY = 'weightroom.tree';

/** Levels of containers. JSON readers stop at 128 of their own, and a dict takes three of them. */
const MAX_DEPTH = 40;
/** Values that are written. Tuples may hold one another many times, and come to more than there are. */
const MAX_VALUES = 3_000_000;

export interface FlatTree {
  /** Every tensor by its name, its keys joined; those that are tied stay tied. */
  readonly tensors: Dict;
  /** What the dict does not say; null where it says everything. */
  readonly text: string | null;
}

/**
 * Flattens a tree. `keepsOrder` says whether the container keeps the order of the tensors: where it
 * does not, even a flat dict has a text. Throws a FindingError where two tensors come to one name,
 * where it nests deeper than 40 levels, and for what JSON cannot keep: references out of a pickle,
 * instances of classes.
 */
export function flattenTree(
  root: Value,
  separator: string,
  keepsOrder: (tensors: Dict) => boolean = () => true,
): FlatTree {
  const writer = new TreeWriter(separator);
  const tree = writer.value(root, []);
  const ties = JSON.stringify(writer.ties());
  const saysAll = isFlat(root) && keepsOrder(writer.tensors);
  return {
    tensors: writer.tensors,
    text: saysAll ? null : `{"version": 1, "ties": ${ties}, "tree": ${tree}}`,
  };
}

/** Whether a dict of tensors says everything, but for the order of its keys. */
function isFlat(root: Value): boolean {
  if (!(root instanceof Dict) || root.type !== 'dict' || root.attributes !== null) return false;
  const storages = new Set<unknown>();
  return [...root.entries()].every(([key, value]) => {
    if (typeof key !== 'string' || !isTensor(value) || storages.has(value.storage)) return false;
    storages.add(value.storage);
    return !value.parameter && !value.requiresGrad && value.state === undefined;
  });
}

/** Tensors that read the same elements of the same storage in the same way. */
function signature({ dtype, shape, strides, offset, conj, neg }: Tensor): string {
  return [dtype, shape.join(), strides.join(), offset, conj, neg].join(' ');
}

class TreeWriter {
  readonly tensors = new Dict();
  readonly #separator: string;
  #count = 0;
  readonly #numbers = new Map<ObjectValue, number>();
  readonly #alike = new Map<unknown, Map<string, string[]>>();

  constructor(separator: string) {
    this.#separator = separator;
  }

  /** Names of the same tensor, the first one first. */
  ties(): string[][] {
    const groups = [...this.#alike.values()].flatMap((views) => [...views.values()]);
    return groups.filter(({ length }) => length > 1);
  }

  value(value: Value, path: readonly string[]): string {
    if (value === null) return 'null';
    switch (typeof value) {
      case 'boolean':
      case 'bigint':
        return String(value);
      case 'number':
        return floatText(value);
      case 'string':
        return JSON.stringify(value);
      case 'object':
        return this.#object(value, path);
      default:
        return value satisfies never;
    }
  }

  #object(value: ObjectValue, path: readonly string[]): string {
    if (++this.#count > MAX_VALUES) throw this.#refused(path, 'is one of too many values');
    if (path.length > MAX_DEPTH) throw this.#refused(path, `nests over ${MAX_DEPTH} levels deep`);
    switch (value.kind) {
      case 'list':
      case 'set':
      case 'dict': {
        const number = this.#numbers.get(value);
        if (number !== undefined) return `{"ref": ${number}}`;
        this.#numbers.set(value, this.#numbers.size);
        if (value.kind === 'dict') return this.#dict(value, path);
        const items = this.#items(value.items, path);
        return value.kind === 'list' ? items : `{"set": ${items}}`;
      }
      case 'tuple':
        return `{"${value.type === 'tuple' ? 'tuple' : 'size'}": ${this.#items(value.items, path)}}`;
      case 'tensor':
        return this.#tensor(value, path);
      case 'sparse':
        return this.#sparse(value, path);
      case 'bytes':
        return `{"${value.mutable ? 'bytearray' : 'bytes'}": "${base64(value)}"}`;
      case 'complex':
        return `{"complex": [${floatText(value.real)}, ${floatText(value.imaginary)}]}`;
      case 'global':
        return `{"global": ${JSON.stringify([value.module, value.name])}}`;
      case 'call': {
        const { callable, args, how, state, appended, entries } = value;
        if (how !== 'reduce' || state !== undefined || appended || entries) {
          throw this.#refused(path, 'is an object of a class');
        }
        const below = [...path, 'args'];
        return `{"call": ${this.value(callable, below)}, "args": ${this.value(args, below)}}`;
      }
      case 'persistent':
        throw this.#refused(path, 'refers to something outside of its pickle');
      default:
        return value satisfies never;
    }
  }

  #items(items: readonly Value[], path: readonly string[]): string {
    return `[${items.map((item, index) => this.value(item, [...path, String(index)])).join(', ')}]`;
  }

  #dict(value: Dict, path: readonly string[]): string {
    const entries = [...value.entries()].map(([key, item]) => {
      const name = keyText(key);
      return `[${this.value(key, [...path, name])}, ${this.value(item, [...path, name])}]`;
    });
    const { type, attributes } = value;
    const more = [
      ...(type === 'dict' ? [] : [`, "type": "${type}"`]),
      ...(attributes === null
        ? []
        : [`, "attributes": ${this.value(attributes, [...path, '__dict__'])}`]),
    ];
    return `{"dict": [${entries.join(', ')}]${more.join('')}}`;
  }

  #tensor(tensor: Tensor, path: readonly string[]): string {
    const name = path.join(this.#separator);
    if (this.tensors.has(name)) {
      throw new FindingError({
        code: 'flatten-clash',
        where: name,
        message: `flatten: two tensors come to the name ${JSON.stringify(name)}`,
        advice: 'Choose another separator, or rename one of them first.',
      });
    }
    this.tensors.set(name, tensor);
    const views = this.#alike.get(tensor.storage) ?? new Map<string, string[]>();
    this.#alike.set(tensor.storage, views);
    const names = views.get(signature(tensor)) ?? [];
    views.set(signature(tensor), names);
    names.push(name);
    const { parameter, requiresGrad, state } = tensor;
    const more = [
      ...(state === undefined ? [] : [`, "state": ${this.value(state, [...path, '__dict__'])}`]),
    ];
    return `{"tensor": ${JSON.stringify(name)}${flags({ parameter, requiresGrad })}${more.join('')}}`;
  }

  #sparse(sparse: SparseTensor, path: readonly string[]): string {
    const { layout, shape, coalesced, parameter, requiresGrad } = sparse;
    const parts = sparse.parts.map(
      ([name, part]) => `["${name}", ${this.#tensor(part, [...path, name])}]`,
    );
    const known = coalesced === undefined ? '' : `, "coalesced": ${coalesced}`;
    const start = `{"sparse": "${layout}", "shape": [${shape.join(', ')}]`;
    return `${start}, "parts": [${parts.join(', ')}]${known}${flags({ parameter, requiresGrad })}}`;
  }

  #refused(path: readonly string[], what: string): FindingError {
    const name = path.join(this.#separator);
    return new FindingError({
      code: 'flatten-refused',
      where: name,
      message: `flatten: ${JSON.stringify(name)} ${what}, which no text can keep`,
      advice: 'Delete it first, or save as .pt.',
    });
  }
}

function flags({ parameter, requiresGrad }: Pick<Tensor, 'parameter' | 'requiresGrad'>): string {
  return `${parameter ? ', "parameter": true' : ''}${requiresGrad ? ', "requires_grad": true' : ''}`;
}

/** JSON has no NaN and no infinities, and a float must not pass for an int. */
function floatText(value: number): string {
  if (!Number.isFinite(value)) {
    return `{"float": "${Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'}"}`;
  }
  const text = Object.is(value, -0) ? '-0' : String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

function keyText(key: Value): string {
  if (typeof key === 'string') return key;
  if (key === null) return 'None';
  if (typeof key === 'boolean') return key ? 'True' : 'False';
  if (typeof key !== 'object') return String(key);
  if (key.kind === 'tuple') return `(${key.items.map(keyText).join(', ')})`;
  return key.kind === 'global' ? `${key.module}.${key.name}` : key.kind;
}

/** In groups of three bytes, so that no text of a whole large file is made at once. */
function base64({ bytes }: Bytes): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 0x6000) {
    text += btoa(String.fromCharCode(...bytes.subarray(at, at + 0x6000)));
  }
  return text;
}
