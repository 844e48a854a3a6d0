/** Reads bound arguments as the types that ops need; what does not fit is a TypeError. */
import { PyList, PyTuple } from '../python/collections.ts';
import { raised } from '../python/errors.ts';
import { isNumeric, toFloat } from '../python/numbers.ts';
import { typeName, usable, type PyValue } from '../python/object.ts';
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import type { Pair } from '../graph.ts';
import { PyDtype } from './dtypes.ts';
import { PyTensor } from './tensor.ts';

/** The arguments of one call, with the name of what was called for messages. */
export class Given {
  readonly #what: string;
  readonly #values: ReadonlyMap<string, PyValue>;
  constructor(what: string, values: ReadonlyMap<string, PyValue>) {
    this.#what = what;
    this.#values = values;
  }

  /** The same arguments and one more. */
  with(name: string, value: PyValue): Given {
    return new Given(this.#what, new Map([...this.#values, [name, value]]));
  }

  value(name: string): PyValue {
    const value = this.#values.get(name);
    if (value === undefined) throw new Error(`${this.#what} has no argument ${name}`);
    return usable(value);
  }

  /** The value; null where there is no such argument. */
  optional(name: string): PyValue {
    return this.#values.has(name) ? this.value(name) : null;
  }

  #wrong(name: string, needed: string): Error {
    const type = typeName(this.value(name));
    return raised('TypeError', `${this.#what}: ${name} must be ${needed}, not ${type}`);
  }

  tensor(name: string): PyTensor {
    const value = this.value(name);
    if (value instanceof PyTensor) return value;
    throw this.#wrong(name, 'a tensor');
  }

  tensorOrNone(name: string): PyTensor | null {
    return this.value(name) === null ? null : this.tensor(name);
  }

  /** A tensor or a number. */
  tensorOrNumber(name: string): PyTensor | number {
    const value = this.value(name);
    if (value instanceof PyTensor) return value;
    if (isNumeric(value)) return toFloat(value);
    throw this.#wrong(name, 'a tensor or a number');
  }

  int(name: string): number {
    const value = this.value(name);
    if (value instanceof PyTensor && value.dtype.includes('int')) return value.item;
    if (typeof value === 'bigint') return this.#exact(name, value);
    throw this.#wrong(name, 'an int');
  }

  /** The largest int64 is 2⁶³ − 1; nothing that an argument counts comes near 2⁵³. */
  #exact(name: string, value: bigint): number {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    throw raised('OverflowError', `${this.#what}: ${name} is too large`);
  }

  intOrNone(name: string): number | null {
    return this.value(name) === null ? null : this.int(name);
  }

  /** A size: an int that is not negative. */
  size(name: string, least = 0): number {
    const value = this.int(name);
    if (value >= least) return value;
    throw raised('ValueError', `${this.#what}: ${name} must be at least ${least}, not ${value}`);
  }

  float(name: string): number {
    const value = this.value(name);
    if (isNumeric(value) && typeof value !== 'boolean') return toFloat(value);
    throw this.#wrong(name, 'a number');
  }

  floatOrNone(name: string): number | null {
    return this.value(name) === null ? null : this.float(name);
  }

  /** One of some words. */
  word<T extends string>(name: string, words: readonly T[]): T {
    const value = this.value(name);
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    const offered = words.map((word) => `"${word}"`).join(', ');
    throw typeof value === 'string'
      ? raised('ValueError', `${this.#what}: ${name} must be one of ${offered}, not "${value}"`)
      : this.#wrong(name, `one of ${offered}`);
  }

  /** The tensors of a list or tuple. */
  tensors(name: string): PyTensor[] {
    const value = this.value(name);
    const items = value instanceof PyTuple || value instanceof PyList ? value.items : [];
    const tensors = items.filter((item) => item instanceof PyTensor);
    if (tensors.length > 0 && tensors.length === items.length) return tensors;
    throw this.#wrong(name, 'a list or tuple of tensors');
  }

  /** A torch.dtype, or None. */
  dtypeOrNone(name: string): Dtype | null {
    const value = this.value(name);
    if (value === null) return null;
    if (value instanceof PyDtype) return value.dtype;
    throw this.#wrong(name, 'a torch.dtype');
  }

  bool(name: string): boolean {
    const value = this.value(name);
    if (typeof value === 'boolean') return value;
    // PyTorch takes any object here; ints are the ones that occur.
    if (typeof value === 'bigint') return value !== 0n;
    throw this.#wrong(name, 'a bool');
  }

  /** An int for both axes, or two ints. */
  pair(name: string, least = 0): Pair {
    const pair = this.ints(name);
    const [first, second = first] = pair;
    if (first === undefined || pair.length > 2) throw this.#wrong(name, 'an int or two ints');
    if (first < least || second! < least) {
      throw raised('ValueError', `${this.#what}: ${name} must be at least ${least}, not ${pair}`);
    }
    return [first, second!];
  }

  /** An int for each of `rank` axes, or one for all of them. */
  sizes(name: string, rank: number, least = 0): number[] {
    const sizes = this.ints(name);
    if (sizes.length !== 1 && sizes.length !== rank) {
      throw this.#wrong(name, `an int or ${rank} ints`);
    }
    const wrong = sizes.find((size) => size < least);
    if (wrong !== undefined) {
      throw raised('ValueError', `${this.#what}: ${name} must be at least ${least}, not ${sizes}`);
    }
    return sizes.length === rank ? sizes : new Array<number>(rank).fill(sizes[0]!);
  }

  /** Ints, or null for None. */
  intsOrNone(name: string): number[] | null {
    return this.value(name) === null ? null : this.ints(name);
  }

  /** An int, or a list or tuple of ints. */
  ints(name: string): number[] {
    const value = this.value(name);
    const items = value instanceof PyTuple || value instanceof PyList ? value.items : [value];
    return items.map((item) => {
      if (item instanceof PyTensor && item.dtype.includes('int')) return item.item;
      if (typeof item === 'bigint') return this.#exact(name, item);
      throw this.#wrong(name, 'an int or a tuple of ints');
    });
  }
}
