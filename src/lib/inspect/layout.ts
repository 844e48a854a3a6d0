/**
 * How tensors lie in their storages: which are one and the same (tied), which share some elements
 * (overlap), which are expanded, and how much of a storage no tensor looks at. Saving a view saves
 * the whole of its storage, so a small slice of a large tensor makes a large file.
 */
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { isMeta, numel, span, type Storage, type Tensor } from '#lib/checkpoint/tensor.ts';

/** Of one of several tensors; the others are named by their places among them. */
export interface Layout {
  /** The first other tensor that has just the same elements. */
  readonly tiedWith: number | null;
  /** Another tensor that has some of its elements, but not just the same ones. */
  readonly overlaps: number | null;
  /** Another tensor in the same storage. */
  readonly sharesWith: number | null;
  /** Whether an axis repeats its elements: stride 0, as `Tensor.expand` makes it. */
  readonly expanded: boolean;
  readonly empty: boolean;
  readonly meta: boolean;
  /** Bytes of its storage that no tensor would need if each had only its own elements. */
  readonly saving: number;
  /**
   * What it takes of all storages, in bytes, so that the sum is theirs: tensors that are tied count
   * once, those that overlap share what they take, and the first has what no tensor looks at.
   */
  readonly stored: number;
}

/** Stretches of bytes that are compared to find overlaps; beyond, none is claimed. */
const MAX_RUNS = 2 ** 21;

export function layoutOf(tensors: readonly Tensor[]): Layout[] {
  const groups = new Map<Storage, number[]>();
  tensors.forEach(({ storage }, at) => {
    const group = groups.get(storage);
    if (group) group.push(at);
    else groups.set(storage, [at]);
  });
  const layouts = new Array<Layout>(tensors.length);
  const budget = { runs: MAX_RUNS };
  for (const [storage, group] of groups) {
    const placed = isMeta(storage) ? unplaced(group) : placeGroup(tensors, group, storage, budget);
    for (const [at, place] of placed) {
      const { shape, strides } = tensors[at]!;
      const empty = numel(shape) === 0;
      layouts[at] = {
        ...place,
        expanded: !empty && shape.some((size, axis) => size > 1 && strides[axis] === 0),
        empty,
        meta: isMeta(storage),
      };
    }
  }
  return layouts;
}

type Place = Pick<Layout, 'tiedWith' | 'overlaps' | 'sharesWith' | 'saving' | 'stored'>;

const alone = { tiedWith: null, overlaps: null, sharesWith: null, saving: 0, stored: 0 };

function unplaced(group: readonly number[]): [number, Place][] {
  return group.map((at) => [at, alone]);
}

function placeGroup(
  tensors: readonly Tensor[],
  group: readonly number[],
  storage: Storage,
  budget: { runs: number },
): [number, Place][] {
  /** Tensors with the same elements, by what they look at. */
  const views = new Map<string, number[]>();
  for (const at of group) {
    const key = viewKey(tensors[at]!);
    const same = views.get(key);
    if (same) same.push(at);
    else views.set(key, [at]);
  }
  const distinct = [...views.values()].map(([first]) => first!);
  const overlaps = overlapsOf(tensors, distinct, budget);
  const used = distinct.reduce((sum, at) => sum + elementBytes(tensors[at]!), 0);
  const unused = Math.max(0, storage.byteLength - used);
  const scale = used > storage.byteLength ? storage.byteLength / used : 1;
  const placed: [number, Place][] = [];
  for (const same of views.values()) {
    const [first] = same;
    const isEmpty = numel(tensors[first!]!.shape) === 0;
    for (const at of same) {
      placed.push([
        at,
        {
          tiedWith: isEmpty ? null : (same.find((other) => other !== at) ?? null),
          overlaps: overlaps.get(first!) ?? null,
          sharesWith: (group[0] === at ? group[1] : group[0]) ?? null,
          saving: unused,
          stored:
            (at === first ? elementBytes(tensors[at]!) * scale : 0) +
            (at === group[0] ? unused : 0),
        },
      ]);
    }
  }
  return placed;
}

/** The same for views that have the same elements; strides along axes of one element say nothing. */
function viewKey({ dtype, shape, strides, offset, conj, neg }: Tensor): string {
  const steps = shape.map((size, axis) => (size > 1 ? strides[axis] : 0));
  return `${dtype} ${offset} ${shape.join()} ${steps.join()} ${conj ?? ''} ${neg ?? ''}`;
}

function elementBytes({ shape, dtype }: Tensor): number {
  return numel(shape) * itemsize(dtype);
}

/** For views that overlap others, one that they overlap. */
function overlapsOf(
  tensors: readonly Tensor[],
  views: readonly number[],
  budget: { runs: number },
): Map<number, number> {
  const found = new Map<number, number>();
  const spans = views
    .map((at) => ({ at, range: byteSpan(tensors[at]!) }))
    .filter(({ range: [start, end] }) => end > start)
    .sort((a, b) => a.range[0] - b.range[0]);
  // Only views whose spans meet can overlap; those of a flat buffer do not.
  for (let from = 0; from < spans.length;) {
    let end = spans[from]!.range[1];
    let to = from + 1;
    for (; to < spans.length && spans[to]!.range[0] < end; to++) {
      end = Math.max(end, spans[to]!.range[1]);
    }
    if (to - from > 1) {
      const cluster = spans.slice(from, to).map(({ at }) => at);
      meet(tensors, cluster, budget, found);
    }
    from = to;
  }
  return found;
}

function byteSpan(tensor: Tensor): [number, number] {
  const [start, end] = span(tensor);
  const size = itemsize(tensor.dtype);
  return [start * size, end * size];
}

/** Compares the stretches of bytes that each view touches, from the first one up. */
function meet(
  tensors: readonly Tensor[],
  cluster: readonly number[],
  budget: { runs: number },
  found: Map<number, number>,
): void {
  const parts = cluster.map((at) => ({ at, ...stretches(tensors[at]!) }));
  const count = parts.reduce((sum, { axes }) => sum + countOf(axes), 0);
  if (count > budget.runs) return;
  budget.runs -= count;
  const starts = new Float64Array(count);
  const ends = new Float64Array(count);
  const owners = new Uint32Array(count);
  let filled = 0;
  for (const { at, from, axes, length } of parts) {
    for (const start of startsOf(from, axes)) {
      starts[filled] = start;
      ends[filled] = start + length;
      owners[filled++] = at;
    }
  }
  const order = Uint32Array.from(starts.keys()).sort((a, b) => starts[a]! - starts[b]!);
  /** The two views that reach farthest so far. */
  let [far, farEnd, next, nextEnd] = [-1, -1, -1, -1];
  for (const run of order) {
    const [owner, start, end] = [owners[run]!, starts[run]!, ends[run]!];
    const [other, otherEnd] = owner === far ? [next, nextEnd] : [far, farEnd];
    if (otherEnd > start) {
      if (!found.has(owner)) found.set(owner, other);
      if (!found.has(other)) found.set(other, owner);
    }
    if (owner === far) farEnd = Math.max(farEnd, end);
    else if (end > farEnd) [next, nextEnd, far, farEnd] = [far, farEnd, owner, end];
    else if (owner === next) nextEnd = Math.max(nextEnd, end);
    else if (end > nextEnd) [next, nextEnd] = [owner, end];
  }
}

interface Axis {
  readonly size: number;
  /** In bytes. */
  readonly stride: number;
}

/** A view as stretches of bytes without gaps: where the first begins, how long they are, the axes between. */
function stretches(tensor: Tensor): { from: number; length: number; axes: Axis[] } {
  const size = itemsize(tensor.dtype);
  const axes = tensor.shape
    .map((count, axis) => ({ size: count, stride: tensor.strides[axis]! * size }))
    .filter((axis) => axis.size > 1 && axis.stride > 0)
    .sort((a, b) => a.stride - b.stride);
  let length = size;
  while (axes[0]?.stride === length) length *= axes.shift()!.size;
  return { from: tensor.offset * size, length, axes };
}

const countOf = (axes: readonly Axis[]) => axes.reduce((product, { size }) => product * size, 1);

function* startsOf(from: number, axes: readonly Axis[]): Generator<number> {
  const index = new Array<number>(axes.length).fill(0);
  for (let at = from; ;) {
    yield at;
    let axis = 0;
    for (; axis < axes.length; axis++) {
      const { size, stride } = axes[axis]!;
      at += stride;
      if (++index[axis]! < size) break;
      at -= stride * size;
      index[axis] = 0;
    }
    if (axis === axes.length) return;
  }
}
