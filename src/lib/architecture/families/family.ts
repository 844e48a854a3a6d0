/**
 * Models that everybody knows by the keys of their state_dict. A family is a short source in
 * PyTorch's style, read by the same evaluator as a person's own, and a reading of the shapes: which
 * constructor arguments would give them. A proposal counts only where every key and shape is equal.
 */
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { list, type Value } from '#lib/checkpoint/value.ts';
import { sameElements } from '../binding.ts';
import type { Hints } from '../hints.ts';
import type { SourceFile } from '../source.ts';

export type { Hints } from '../hints.ts';

export interface Family {
  /** `resnet`: the file's name. */
  readonly name: string;
  /** Python. */
  readonly source: string;
  /** Arguments to try, the likeliest first; none where the keys are those of another family. */
  propose(shapes: Shapes, hints: Hints): readonly Proposal[];
}

export interface Proposal {
  /** For people: `ResNet-50`. */
  readonly title: string;
  /** Class or function of the source. */
  readonly model: string;
  readonly args: Readonly<Record<string, Value>>;
  /** What shapes cannot tell (an activation, a number of heads) and is taken by custom, in words. */
  readonly assumed?: readonly string[];
  /** What the configuration asks for and the source does not compute: it is not to be used. */
  readonly refused?: string;
  /** Arguments that do not follow from the shapes, by name. */
  readonly origins?: Readonly<Record<string, 'configuration' | 'custom'>>;
}

/** A family's source as a file. */
export function sourceFile({ name, source }: Family): SourceFile {
  return { name: `${name}.py`, text: source };
}

/** The shapes of a state_dict, and what is often asked of them. */
export class Shapes {
  readonly #tensors: ReadonlyMap<string, Tensor>;

  constructor(tensors: ReadonlyMap<string, Tensor>) {
    this.#tensors = tensors;
  }

  get keys(): readonly string[] {
    return [...this.#tensors.keys()];
  }

  has(...keys: readonly string[]): boolean {
    return keys.every((key) => this.#tensors.has(key));
  }

  /** The shape of a key; empty where there is none, so that sizes read as 0. */
  of(key: string): readonly number[] {
    return this.#tensors.get(key)?.shape ?? [];
  }

  /** Whether both keys hold the same elements in the same place: tied weights. */
  areOne(one: string, other: string): boolean {
    const [a, b] = [this.#tensors.get(one), this.#tensors.get(other)];
    return a !== undefined && b !== undefined && sameElements(a, b);
  }

  size(key: string, axis: number): number {
    return this.of(key).at(axis) ?? 0;
  }

  /** How many of `prefix0`, `prefix1`, … have keys below them, without a gap from 0. */
  count(prefix: string): number {
    const found = new Set<number>();
    for (const key of this.#tensors.keys()) {
      if (!key.startsWith(prefix)) continue;
      const number = /^\d+/.exec(key.slice(prefix.length));
      if (number) found.add(Number(number[0]));
    }
    let count = 0;
    while (found.has(count)) count++;
    return count;
  }

  /** True where some key begins so. */
  begins(prefix: string): boolean {
    return this.keys.some((key) => key.startsWith(prefix));
  }
}

/** Arguments that are ints. */
export function int(args: Readonly<Record<string, number>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [name, BigInt(value)]));
}

export function ints(values: readonly number[]): Value {
  return list(...values.map(BigInt));
}
