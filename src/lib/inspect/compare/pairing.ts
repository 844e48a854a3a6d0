import { rename, type RenameRule } from '#lib/edit/rename.ts';
import type { NamedTensor } from './named_tensors.ts';

/** Places in the lists of tensors of both sides. */
export type Pair = readonly [a: number, b: number];

export interface Pairing {
  /** In the order of `a`. */
  readonly pairs: readonly Pair[];
  readonly onlyA: readonly number[];
  readonly onlyB: readonly number[];
}

/**
 * Pairs tensors by their full names, those of `b` after the rules; `chosen` pairs come before names.
 * Throws a FindingError where a rule makes two names one.
 */
export function pairTensors(
  a: readonly NamedTensor[],
  b: readonly NamedTensor[],
  rules: readonly RenameRule[],
  chosen: readonly Pair[] = [],
): Pairing {
  const names = b.map(({ name }) => name);
  const places = new Map(rename(names, rules).map(({ to }, place) => [to, place]));
  const partners = new Map(chosen);
  const taken = new Set(partners.values());
  const pairs: Pair[] = [];
  const onlyA: number[] = [];
  a.forEach(({ name }, place) => {
    const named = places.get(name);
    const partner =
      partners.get(place) ?? (named !== undefined && !taken.has(named) ? named : undefined);
    if (partner === undefined) return void onlyA.push(place);
    taken.add(partner);
    pairs.push([place, partner]);
  });
  const onlyB = b.flatMap((_, place) => (taken.has(place) ? [] : [place]));
  return { pairs, onlyA, onlyB };
}

export function haveSameShape({ tensor: a }: NamedTensor, { tensor: b }: NamedTensor): boolean {
  return a.shape.length === b.shape.length && a.shape.every((size, axis) => size === b.shape[axis]);
}
