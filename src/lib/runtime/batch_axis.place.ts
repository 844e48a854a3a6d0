/** Where a value holds the examples of a batch, and what rules ask about it. */
import type { GraphNode } from '#lib/architecture/graph.ts';

/**
 * Examples lie along one axis: `outer` times all of them one after the other, each `inner` places
 * wide. (T, N, C) as (T · N, C) has T outside, (N, T, C) as (N · T, C) has T inside.
 */
export interface Spread {
  readonly axis: number;
  readonly outer: number;
  readonly inner: number;
}

/** `free` does not depend on the batch. */
export type Place = Spread | 'free' | 'mixed';

/** A node for both batch sizes, and where its inputs hold the examples; None is null. */
export interface Step<N extends GraphNode = GraphNode> {
  readonly node: N;
  readonly other: N;
  readonly batch: number;
  readonly otherBatch: number;
  readonly places: readonly (Place | null)[];
  readonly shapes: readonly (readonly number[])[];
}

export const isSpread = (place: Place | null | undefined): place is Spread =>
  typeof place === 'object' && place !== null;
export const isAt = (place: Place | null | undefined, axis: number): place is Spread =>
  isSpread(place) && place.axis === axis;
export const areFree = (places: readonly (Place | null)[]) =>
  places.every((place) => place === null || place === 'free');
export const isAlike = (a: Place | null, b: Place | null) => isSame(a, b);
export const hasSameAttrs = ({ node, other }: Step) => isSame(node.attrs, other.attrs);
export const moved = (place: Spread, axis: number): Spread => ({ ...place, axis });
export const product = (sizes: readonly number[]) => sizes.reduce((all, size) => all * size, 1);
export const from = (axis: number, rank: number) => (axis < 0 ? axis + rank : axis);

/** Deep equality of plain data and typed arrays. */
export function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b) return false;
  const [one, two] = [Object.entries(a), Object.entries(b)];
  return (
    one.length === two.length &&
    one.every(([key, value]) => isSame(value, (b as Record<string, unknown>)[key]))
  );
}
