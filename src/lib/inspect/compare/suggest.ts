/**
 * Which tensors without a partner may belong together: of one shape, and alike in their values. The
 * first elements of each are read and compared first; only pairs that agree there are read whole.
 */
import { tensorsInTurn } from '#lib/checkpoint/read_tensor.ts';
import { isMeta, numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import { operandFor, arithmeticOf } from './arithmetic.ts';
import { compareTensors, unchecked } from './compare_tensors.ts';
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
/** Tensors of one shape on a side that are looked at. */
const MOST_OF_A_SHAPE = 2000;
/** Those of them without an equal that are held against each other. */
const MOST_WITH_EACH = 500;
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
  for (const batch of batchesOf(groups)) {
    context.progress?.(done, groups.length);
    done += batch.length;
    const [left, right] = await Promise.all([
      firstsOf(a, inTheirOrder(batch.flatMap((group) => group.a)), context.signal),
      firstsOf(b, inTheirOrder(batch.flatMap((group) => group.b)), context.signal),
    ]);
    const pairs = batch.flatMap((group) => bestPairs(pick(left, group.a), pick(right, group.b)));
    pairs.sort(([one], [other]) => one - other);
    const several = {
      a: new Set(batch.flatMap((group) => likeOthers(pick(left, group.a)))),
      b: new Set(batch.flatMap((group) => likeOthers(pick(right, group.b)))),
    };
    const outcomes = compareTensors(
      pairs.map(([one, other]) => [a[one]!.tensor, b[other]!.tensor] as const),
      context,
    );
    const paired = new Set<number>();
    let at = 0;
    for await (const outcome of outcomes) {
      const pair = pairs[at++]!;
      if (outcome instanceof Error) continue;
      const cosine = outcome.changed === 0 ? 1 : (outcome.measured?.cosine ?? null);
      const isOneOfSeveral = several.a.has(pair[0]) || several.b.has(pair[1]);
      const why = outcome.changed > 0 ? 'alike' : isOneOfSeveral ? 'order' : 'equal';
      if (cosine === null || cosine < ALIKE) continue;
      found.push({ pair, why, cosine });
      paired.add(pair[0]);
    }
    for (const group of batch) {
      if (group.a.length > 1 || group.b.length > 1 || paired.has(group.a[0]!)) continue;
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

/** Groups whose first elements are read together. */
function* batchesOf(groups: readonly Group[]): Generator<readonly Group[]> {
  let batch: Group[] = [];
  let size = 0;
  for (const group of groups) {
    const own = Math.max(group.a.length, group.b.length);
    if (batch.length > 0 && size + own > MOST_OF_A_SHAPE) {
      yield batch;
      [batch, size] = [[], 0];
    }
    batch.push(group);
    size += own;
  }
  if (batch.length > 0) yield batch;
}

function hasElements({ dtype, shape, storage }: Tensor): boolean {
  return numel(shape) > 0 && !isMeta(storage) && arithmeticOf(dtype, 'float64') === 'float64';
}

interface First {
  readonly place: number;
  readonly values: Float64Array;
  /** The same text for the same values; empty where none could be read. */
  readonly key: string;
  readonly norm: number;
}

/** The first elements of tensors as numbers. Most reads are short and each has to travel: they are made ahead. */
async function firstsOf(
  list: readonly NamedTensor[],
  places: readonly number[],
  signal?: AbortSignal,
): Promise<Map<number, First>> {
  const firsts = new Map<number, First>();
  while (firsts.size < places.length) {
    const rest = places.slice(firsts.size);
    const tensors = rest.map((place) => unchecked(leading(list[place]!.tensor)));
    let at = 0;
    for (const chunks of tensorsInTurn(tensors, signal, 2)) {
      const place = rest[at]!;
      const values = await numbersOf(tensors[at++]!, chunks).catch(() => null);
      signal?.throwIfAborted();
      firsts.set(place, firstOf(place, values ?? []));
      if (!values) break; // what was read ahead no longer fits: it begins anew behind this tensor
    }
  }
  return firsts;
}

async function numbersOf(
  { dtype }: Tensor,
  chunks: AsyncIterable<Uint8Array>,
): Promise<readonly number[]> {
  const operand = operandFor(dtype, 'float64');
  const numbers: number[] = [];
  for await (const bytes of chunks) numbers.push(...operand(bytes));
  return numbers;
}

function firstOf(place: number, numbers: readonly number[]): First {
  // One NaN is as good as another.
  const values = Float64Array.from(numbers.slice(0, FIRST), (value) =>
    value === value ? value : NaN,
  );
  const key = String.fromCharCode(...new Uint16Array(values.buffer));
  return { place, values, key, norm: Math.hypot(...values) };
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

/**
 * Each with the one that is most alike: equal ones in their order, then the likest first. Only what
 * has no equal is held against each other.
 */
function bestPairs(a: readonly First[], b: readonly First[]): Pair[] {
  const equals = Map.groupBy(b, ({ key }) => key);
  const pairs = a.flatMap(({ key, place }): Pair[] => {
    const other = key === '' ? undefined : equals.get(key)?.shift();
    return other ? [[place, other.place]] : [];
  });
  const [takenA, takenB] = [new Set(pairs.map(([one]) => one)), new Set(pairs.map(([, it]) => it))];
  const left = a.filter(({ place }) => !takenA.has(place)).slice(0, MOST_WITH_EACH);
  const right = b.filter(({ place }) => !takenB.has(place)).slice(0, MOST_WITH_EACH);
  const likely: { pair: Pair; cosine: number }[] = [];
  for (const one of left) {
    for (const other of right) {
      const cosine = cosineOf(one, other);
      if (cosine >= ALIKE) likely.push({ pair: [one.place, other.place], cosine });
    }
  }
  likely.sort((one, other) => other.cosine - one.cosine);
  for (const { pair } of likely) {
    if (takenA.has(pair[0]) || takenB.has(pair[1])) continue;
    takenA.add(pair[0]);
    takenB.add(pair[1]);
    pairs.push(pair);
  }
  return pairs;
}

/** Places whose first elements are those of another one there, as fresh layers' are. */
function likeOthers(firsts: readonly First[]): number[] {
  const groups = Map.groupBy(firsts, ({ key }) => key);
  const alike = [...groups.values()].filter(({ length }) => length > 1).flat();
  return alike.map(({ place }) => place);
}

/** As files mostly have them: what lies near each other is read together. */
function inTheirOrder(places: readonly number[]): number[] {
  return places.toSorted((one, other) => one - other);
}

function pick(firsts: ReadonlyMap<number, First>, places: readonly number[]): First[] {
  return places.map((place) => firsts.get(place)!);
}

/** Of two that are not the same, all that is known from their first elements. */
function cosineOf(a: First, b: First): number {
  const { length } = a.values;
  if (length === 0 || length !== b.values.length) return 0;
  let dot = 0;
  for (let at = 0; at < length; at++) dot += a.values[at]! * b.values[at]!;
  const cosine = dot / (a.norm * b.norm);
  // Where only rounding speaks for one before the other, their order does.
  return Number.isFinite(cosine) ? Math.min(cosine, 1 - 1e-9) : 0;
}
