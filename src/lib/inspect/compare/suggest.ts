/**
 * Which tensors without a partner may belong together: of one shape, and alike in their values. The
 * first elements of each are read and compared first; only pairs that agree there are read whole.
 */
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { isMeta, numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import { operandFor, arithmeticOf } from './arithmetic.ts';
import { compareTensors } from './compare_tensors.ts';
import type { NamedTensor } from './named_tensors.ts';
import type { Pair, Pairing } from './pairing.ts';

export interface Suggestion {
  readonly pair: Pair;
  /** `order`: equal, and so are others of the shape; they are paired in their order. */
  readonly why: 'equal' | 'alike' | 'order' | 'shape';
  /** Cosine of all elements; null where only the shape speaks for the pair. */
  readonly cosine: number | null;
}

/** Elements of each tensor that are looked at first. */
const FIRST = 1024;
/** Tensors of one shape on a side that are looked at: each is held against each. */
const MOST_OF_A_SHAPE = 500;
/** Values below this cosine are as far apart as those of another layer. */
const ALIKE = 0.5;

export async function suggestPairs(
  a: readonly NamedTensor[],
  b: readonly NamedTensor[],
  { onlyA, onlyB }: Pairing,
  context: { readonly signal?: AbortSignal; progress?(done: number, total: number): void } = {},
): Promise<Suggestion[]> {
  const groups = groupsOf(a, b, onlyA, onlyB);
  const found: Suggestion[] = [];
  let done = 0;
  for (const group of groups) {
    context.progress?.(done++, groups.length);
    const left = await firstsOf(a, group.a, context.signal);
    const right = await firstsOf(b, group.b, context.signal);
    const pairs = bestPairs(left, right);
    const several = likeOthers(left, right);
    const outcomes = compareTensors(
      pairs.map(([one, other]) => [a[one]!.tensor, b[other]!.tensor] as const),
      context,
    );
    let at = 0;
    for await (const outcome of outcomes) {
      const pair = pairs[at++]!;
      if (outcome instanceof Error) continue;
      const cosine = outcome.changed === 0 ? 1 : (outcome.measured?.cosine ?? null);
      const isOneOfSeveral = several.a.has(pair[0]) || several.b.has(pair[1]);
      if (outcome.changed === 0)
        found.push({ pair, why: isOneOfSeveral ? 'order' : 'equal', cosine });
      else if (cosine !== null && cosine >= ALIKE) found.push({ pair, why: 'alike', cosine });
    }
    const isAlone = group.a.length === 1 && group.b.length === 1;
    if (isAlone && !found.some(({ pair }) => pair[0] === group.a[0])) {
      found.push({ pair: [group.a[0]!, group.b[0]!], why: 'shape', cosine: null });
    }
  }
  return found.sort((one, other) => one.pair[0] - other.pair[0]);
}

/** Tensors of one shape on both sides. */
interface Group {
  readonly a: readonly number[];
  readonly b: readonly number[];
}

function groupsOf(
  a: readonly NamedTensor[],
  b: readonly NamedTensor[],
  onlyA: readonly number[],
  onlyB: readonly number[],
): Group[] {
  const byShape = (list: readonly NamedTensor[], places: readonly number[]) =>
    Map.groupBy(
      places.filter((place) => hasElements(list[place]!.tensor)),
      (place) => list[place]!.tensor.shape.join(),
    );
  const right = byShape(b, onlyB);
  return [...byShape(a, onlyA)].flatMap(([shape, places]) => {
    const others = right.get(shape);
    if (!others) return [];
    return { a: places.slice(0, MOST_OF_A_SHAPE), b: others.slice(0, MOST_OF_A_SHAPE) };
  });
}

function hasElements({ dtype, shape, storage }: Tensor): boolean {
  return numel(shape) > 0 && !isMeta(storage) && arithmeticOf(dtype, 'float64') === 'float64';
}

interface First {
  readonly place: number;
  readonly values: Float64Array;
  readonly norm: number;
}

/** The first elements of tensors as numbers. */
async function firstsOf(
  list: readonly NamedTensor[],
  places: readonly number[],
  signal?: AbortSignal,
): Promise<First[]> {
  const firsts: First[] = [];
  for (const place of places) {
    const { tensor } = list[place]!;
    const bytes = await readTensor(leading(tensor), signal).catch(() => new Uint8Array());
    signal?.throwIfAborted();
    const count = Math.min(FIRST, bytes.length / itemsize(tensor.dtype));
    const numbers = operandFor(tensor.dtype, 'float64')(bytes);
    const values = Float64Array.from(numbers.subarray(0, count));
    firsts.push({ place, values, norm: Math.hypot(...values) });
  }
  return firsts;
}

/** A leading part of a tensor with about as many elements as are looked at. */
function leading(tensor: Tensor): Tensor {
  let left = FIRST;
  const shape = tensor.shape.toReversed().map((size) => {
    const taken = Math.min(size, Math.max(1, left));
    left = Math.ceil(left / size);
    return taken;
  });
  return { ...tensor, shape: shape.reverse() };
}

/** Each with the one that is most alike, the likest first; equally alike ones in their order. */
function bestPairs(a: readonly First[], b: readonly First[]): Pair[] {
  const all = a.flatMap((one) =>
    b.map((other) => ({ pair: [one.place, other.place] as const, cosine: cosineOf(one, other) })),
  );
  const likely = all.filter(({ cosine }) => cosine >= ALIKE);
  likely.sort((one, other) => other.cosine - one.cosine);
  const [takenA, takenB] = [new Set<number>(), new Set<number>()];
  return likely.flatMap(({ pair }) => {
    if (takenA.has(pair[0]) || takenB.has(pair[1])) return [];
    takenA.add(pair[0]);
    takenB.add(pair[1]);
    return [pair];
  });
}

/** Places on each side whose first elements are those of another one there, as fresh layers' are. */
function likeOthers(...sides: readonly [a: readonly First[], b: readonly First[]]) {
  const [a, b] = sides.map((firsts) => {
    const groups = Map.groupBy(firsts, ({ values }) => values.join());
    const alike = [...groups.values()].filter(({ length }) => length > 1).flat();
    return new Set(alike.map(({ place }) => place));
  });
  return { a: a!, b: b! };
}

/** 1 for the same values; those that are all zero are alike to each other alone. */
function cosineOf(a: First, b: First): number {
  if (a.values.length === 0 || a.values.length !== b.values.length) return 0;
  let dot = 0;
  let isSame = true;
  for (let at = 0; at < a.values.length; at++) {
    dot += a.values[at]! * b.values[at]!;
    isSame &&= Object.is(a.values[at], b.values[at]);
  }
  if (isSame) return 1;
  const cosine = dot / (a.norm * b.norm);
  // Rounding must not make two that differ as alike as the same.
  return Number.isFinite(cosine) ? Math.min(cosine, 1 - 1e-9) : 0;
}
