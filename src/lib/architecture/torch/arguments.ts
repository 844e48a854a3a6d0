/** Reads bound arguments as the types that ops need; what does not fit is a TypeError. */
import { PyList, PyTuple } from '../python/collections.ts';
import { raised } from '../python/errors.ts';
import { isNumeric, toFloat } from '../python/numbers.ts';
import { typeName, usable, type PyValue } from '../python/object.ts';
import type { Pair } from '../graph.ts';
import { PyTensor } from './tensor.ts';

/** The arguments of one call, with the name of what was called for messages. */
export class Given {
  readonly #what: string;
  readonly #values: ReadonlyMap<string, PyValue>;
  constructor(what: string, values: ReadonlyMap<string, PyValue>) {
    this.#what = what;
    this.#values = values;
  }

  value(name: string): PyValue {
    const value = this.#values.get(name);
    if (value === undefined) throw new Error(`${this.#what} has no argument ${name}`);
    return usable(value);
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

  int(name: string): number {
    const value = this.value(name);
    if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) return Number(value);
    throw this.#wrong(name, 'an int');
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

  /** An int, or a list or tuple of ints. */
  ints(name: string): number[] {
    const value = this.value(name);
    const items = value instanceof PyTuple || value instanceof PyList ? value.items : [value];
    return items.map((item) => {
      if (typeof item === 'bigint' && Number.isSafeInteger(Number(item))) return Number(item);
      throw this.#wrong(name, 'an int or a tuple of ints');
    });
  }
}
