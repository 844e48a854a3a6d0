/**
 * Views: the same elements under another shape. Each says how a change in place finds its way back
 * to the tensor that it looks into.
 */
import { numel } from '#lib/checkpoint/tensor.ts';
import { raised } from '../../python/errors.ts';
import { copyOf, emit } from '../emit.ts';
import { broadcast, checkRank, inferShape, normalizeDim } from '../shapes.ts';
import { shapeText, type PyTensor } from '../tensor.ts';

/** A view of the same elements. */
export function view(x: PyTensor, to: readonly number[], what: string): PyTensor {
  const shape = inferShape(x.shape, to, what);
  const put = (base: PyTensor, value: PyTensor): PyTensor => reshape(value, base.shape, what);
  return emit('reshape', [x], { shape }, shape, x.dtype, { put });
}

/** A view where the elements lie so that one is possible, else a copy: not known which. */
export function reshape(x: PyTensor, to: readonly number[], what: string): PyTensor {
  const shape = inferShape(x.shape, to, what);
  return emit('reshape', [x], { shape }, shape, x.dtype, { memory: x.memory });
}

/** The tensor itself where its elements lie in order, else a copy: not known which. */
export function contiguous(x: PyTensor): PyTensor {
  return copyOf(x, { memory: x.memory });
}

export function clone(x: PyTensor): PyTensor {
  return copyOf(x);
}

export function flatten(x: PyTensor, startDim: number, endDim: number): PyTensor {
  const rank = x.shape.length;
  const start = normalizeDim(startDim, rank, 'flatten');
  const end = normalizeDim(endDim, rank, 'flatten');
  if (start > end) {
    throw raised('RuntimeError', `flatten: start_dim ${startDim} comes after end_dim ${endDim}`);
  }
  if (rank === 0) return reshape(x, [1], 'flatten');
  const merged = numel(x.shape.slice(start, end + 1));
  return reshape(x, [...x.shape.slice(0, start), merged, ...x.shape.slice(end + 1)], 'flatten');
}

/** Splits one axis into several, one of which may be -1. */
export function unflatten(x: PyTensor, dim: number, sizes: readonly number[]): PyTensor {
  const axis = normalizeDim(dim, x.shape.length, 'unflatten');
  const parts = inferShape([x.shape[axis] ?? 1], sizes, 'unflatten');
  return view(x, x.shape.toSpliced(axis, 1, ...parts), 'unflatten');
}

/** Without the axes of size 1; those of `dims` alone where they are given. */
export function squeeze(x: PyTensor, dims: readonly number[] | null): PyTensor {
  const rank = x.shape.length;
  const axes = dims?.map((dim) => normalizeDim(dim, rank, 'squeeze'));
  const isKept = (size: number, axis: number): boolean =>
    size !== 1 || (axes !== undefined && !axes.includes(axis));
  return view(x, x.shape.filter(isKept), 'squeeze');
}

export function unsqueeze(x: PyTensor, dim: number): PyTensor {
  const axis = normalizeDim(dim, x.shape.length + 1, 'unsqueeze');
  return view(x, x.shape.toSpliced(axis, 0, 1), 'unsqueeze');
}

/** Output axis i is input axis dims[i]. */
export function permute(x: PyTensor, dims: readonly number[], what = 'permute'): PyTensor {
  const rank = x.shape.length;
  const axes = dims.map((dim) => normalizeDim(dim, rank, what));
  if (axes.length !== rank || new Set(axes).size !== rank) {
    throw raised('RuntimeError', `${what}: dims (${dims.join(', ')}) of a ${rank}-d tensor`);
  }
  const put = (_: PyTensor, value: PyTensor): PyTensor => permute(value, inverse(axes), what);
  const shape = axes.map((axis) => x.shape[axis]!);
  return emit('permute', [x], { dims: axes }, shape, x.dtype, { put });
}

/** The order that takes a permutation back. */
function inverse(axes: readonly number[]): number[] {
  const result: number[] = [];
  axes.forEach((axis, at) => (result[axis] = at));
  return result;
}

export function transpose(x: PyTensor, dim0: number, dim1: number): PyTensor {
  const rank = x.shape.length;
  const [a, b] = [dim0, dim1].map((dim) => normalizeDim(dim, rank, 'transpose'));
  const axes = x.shape.map((_, axis) => (axis === a ? b! : axis === b ? a! : axis));
  return permute(x, axes, 'transpose');
}

/** `x.T` of a matrix and `torch.t`; a vector stays as it is. */
export function t(x: PyTensor, what = 't'): PyTensor {
  const rank = x.shape.length;
  if (rank > 2) {
    throw raised('RuntimeError', `${what}: at most 2 dimensions are possible, not ${rank}`);
  }
  return permute(x, rank === 2 ? [1, 0] : x.shape.map((_, axis) => axis), what);
}

export function movedim(
  x: PyTensor,
  source: readonly number[],
  destination: readonly number[],
): PyTensor {
  const rank = x.shape.length;
  const [from, to] = [source, destination].map((dims) =>
    dims.map((dim) => normalizeDim(dim, rank, 'movedim')),
  ) as [number[], number[]];
  const isPossible = [from, to].every((axes) => new Set(axes).size === source.length);
  if (!isPossible) {
    throw raised('RuntimeError', `movedim: dims (${source}) cannot go to (${destination})`);
  }
  const others = x.shape.map((_, axis) => axis).filter((axis) => !from.includes(axis));
  const axes = x.shape.map((_, axis) => {
    const at = to.indexOf(axis);
    return at < 0 ? others.shift()! : from[at]!;
  });
  return permute(x, axes, 'movedim');
}

/** Repeats axes of size 1, and puts new ones in front; -1 keeps a size. */
export function expand(x: PyTensor, to: readonly number[], what = 'expand'): PyTensor {
  checkRank(to.length, what);
  const missing = to.length - x.shape.length;
  const problem = (): Error =>
    raised(
      'RuntimeError',
      `${what}: shape ${shapeText(x.shape)} cannot be expanded to ${shapeText(to)}`,
    );
  if (missing < 0) throw problem();
  const shape = to.map((size, axis) => {
    const own = x.shape[axis - missing];
    if (size === -1 && own !== undefined) return own;
    if (size < 0 || (own !== undefined && own !== 1 && own !== size)) throw problem();
    return size;
  });
  if (shape.join() === x.shape.join() && !x.isParameter) return x;
  const put = (): never => {
    throw raised('RuntimeError', 'in place: elements of an expanded tensor share their memory');
  };
  return emit('expand', [x], { shape }, shape, x.dtype, { put });
}

/** All tensors expanded to the shape that they have in common. */
export function broadcastTensors(tensors: readonly PyTensor[]): PyTensor[] {
  const common = tensors
    .map(({ shape }) => shape)
    .reduce((a, b) => broadcast(a, b, 'broadcast_tensors'), []);
  return tensors.map((tensor) => expand(tensor, common, 'broadcast_tensors'));
}

/** Which elements of each axis a slice takes: every `step`-th from `start`, `size` of them. */
export interface Selection {
  readonly start: readonly number[];
  readonly size: readonly number[];
  readonly step: readonly number[];
}

/** Some of the elements of each axis. The selection has to lie within the shape. */
export function slice(x: PyTensor, { start, size, step }: Selection): PyTensor {
  const attrs = { start, size, step };
  const put = (base: PyTensor, value: PyTensor): PyTensor => sliceScatter(base, value, attrs);
  return emit('slice', [x], attrs, size, x.dtype, { put });
}

/** x with the selected elements replaced by `value`, which has their shape. */
export function sliceScatter(x: PyTensor, value: PyTensor, selection: Selection): PyTensor {
  const { start, size, step } = selection;
  return emit('slice_scatter', [x, value], { start, size, step }, x.shape, x.dtype);
}

/** Every `step`-th element of one axis. */
export function sliceAlong(
  x: PyTensor,
  axis: number,
  start: number,
  size: number,
  step = 1,
): PyTensor {
  return slice(x, {
    start: x.shape.map((_, at) => (at === axis ? start : 0)),
    size: x.shape.map((all, at) => (at === axis ? size : all)),
    step: x.shape.map((_, at) => (at === axis ? step : 1)),
  });
}

export function narrow(x: PyTensor, dim: number, start: number, length: number): PyTensor {
  const axis = axisOf(x, dim, 'narrow');
  const all = x.shape[axis]!;
  const from = start < 0 ? start + all : start;
  if (from < 0 || length < 0 || from + length > all) {
    throw raised(
      'RuntimeError',
      `narrow: ${length} elements from ${start} do not lie within dimension ${dim} of size ${all}`,
    );
  }
  return sliceAlong(x, axis, from, length);
}

/** One element of an axis, which is gone afterwards. */
export function select(x: PyTensor, dim: number, index: number): PyTensor {
  const axis = axisOf(x, dim, 'select');
  const all = x.shape[axis]!;
  const at = index < 0 ? index + all : index;
  if (at < 0 || at >= all) {
    throw raised(
      'IndexError',
      `index ${index} is out of range for dimension ${axis} of size ${all}`,
    );
  }
  return view(sliceAlong(x, axis, at, 1), x.shape.toSpliced(axis, 1), 'select');
}

/** Consecutive pieces of one axis. */
export function splitSizes(x: PyTensor, sizes: readonly number[], dim: number): PyTensor[] {
  const axis = axisOf(x, dim, 'split');
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (sizes.some((size) => size < 0) || total !== x.shape[axis]) {
    throw raised(
      'RuntimeError',
      `split: sizes (${sizes.join(', ')}) do not sum up to ${x.shape[axis]}, the size of dimension ${dim}`,
    );
  }
  let start = 0;
  return sizes.map((size) => sliceAlong(x, axis, (start += size) - size, size));
}

/** A tensor that looks into another one takes about as long as this many steps. */
const stepsPerPiece = 20;

/** Pieces of `size`; the last may be smaller. */
export function split(x: PyTensor, size: number, dim: number): PyTensor[] {
  const all = x.shape[axisOf(x, dim, 'split')]!;
  if (size < 0 || (size === 0 && all > 0)) {
    throw raised('RuntimeError', `split: split_size must be positive, not ${size}`);
  }
  const count = Math.max(1, Math.ceil(all / size) || 0);
  x.session.interpreter.step(count * stepsPerPiece);
  const sizes = Array.from({ length: count }, (_, at) => Math.min(size, all - at * size));
  return splitSizes(x, sizes, dim);
}

/** At most `chunks` pieces of equal size; the last may be smaller, and there may be fewer. */
export function chunk(x: PyTensor, chunks: number, dim: number): PyTensor[] {
  if (chunks < 1) throw raised('RuntimeError', `chunk: chunks must be at least 1, not ${chunks}`);
  const all = x.shape[axisOf(x, dim, 'chunk')]!;
  if (all === 0) x.session.interpreter.allocate(chunks);
  return all === 0
    ? splitSizes(x, new Array<number>(chunks).fill(0), dim)
    : split(x, Math.ceil(all / chunks), dim);
}

/** Pieces between the given positions, or as many whose sizes differ by at most one. */
export function tensorSplit(
  x: PyTensor,
  where: number | readonly number[],
  dim: number,
): PyTensor[] {
  const axis = axisOf(x, dim, 'tensor_split');
  const all = x.shape[axis]!;
  if (typeof where === 'number') {
    if (where < 1) {
      throw raised('RuntimeError', `tensor_split: ${where} sections, at least 1 is needed`);
    }
    x.session.interpreter.allocate(where);
    const sizes = Array.from(
      { length: where },
      (_, at) => Math.floor(all / where) + (at < all % where ? 1 : 0),
    );
    return splitSizes(x, sizes, axis);
  }
  const clamp = (at: number): number => Math.min(all, Math.max(0, at < 0 ? at + all : at));
  const borders = [0, ...where.map(clamp), all];
  return borders.slice(1).map((end, at) => {
    const start = borders[at]!;
    return sliceAlong(x, axis, start, Math.max(0, end - start));
  });
}

/** Each element of an axis. */
export function unbind(x: PyTensor, dim: number): PyTensor[] {
  const axis = axisOf(x, dim, 'unbind');
  const count = x.shape[axis]!;
  x.session.interpreter.step(count * stepsPerPiece);
  return Array.from({ length: count }, (_, at) => select(x, axis, at));
}

/** The elements whose place on dim2 is that on dim1 plus `offset`, as a new last axis. */
export function diagonal(x: PyTensor, offset: number, dim1: number, dim2: number): PyTensor {
  const [first, second] = [dim1, dim2].map((dim) => axisOf(x, dim, 'diagonal')) as [number, number];
  if (first === second) {
    throw raised('RuntimeError', `diagonal: dimensions ${dim1} and ${dim2} are the same`);
  }
  const others = x.shape.map((_, axis) => axis).filter((axis) => axis !== first && axis !== second);
  const turned = permute(x, [...others, first, second], 'diagonal');
  const [rows, columns] = turned.shape.slice(-2) as [number, number];
  const length = Math.min(rows - Math.max(0, -offset), columns - Math.max(0, offset));
  const flat = view(turned, [...turned.shape.slice(0, -2), rows * columns], 'diagonal');
  const start = length > 0 ? Math.max(0, offset) + Math.max(0, -offset) * columns : 0;
  return sliceAlong(flat, others.length, start, Math.max(0, length), columns + 1);
}

/** An axis of a tensor that has some. */
export function axisOf(x: PyTensor, dim: number, what: string): number {
  if (x.shape.length > 0) return normalizeDim(dim, x.shape.length, what);
  throw raised('RuntimeError', `${what}: a tensor of no dimensions`);
}
