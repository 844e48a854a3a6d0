/** Tensors put together, repeated, padded, turned around. Copies, all of them. */
import { numel } from '#lib/checkpoint/tensor.ts';
import type { Ops } from '../../graph.ts';
import { raised } from '../../python/errors.ts';
import { emit, hostTensor } from '../emit.ts';
import { resultType } from '../promotion.ts';
import { checkRank, normalizeDim } from '../shapes.ts';
import { shapeText, type PyTensor } from '../tensor.ts';
import { to } from './arithmetic.ts';
import { indexSelect } from './picking.ts';
import { axisOf, clone, diagonal, flatten, permute, reshape, sliceScatter, view } from './shape.ts';

/** Joins along an axis that exists. As in PyTorch, tensors of shape [0] count for nothing. */
export function cat(tensors: readonly PyTensor[], dim: number): PyTensor {
  const isEmpty = ({ shape }: PyTensor): boolean => shape.length === 1 && shape[0] === 0;
  const dtype = resultType(tensors);
  const full = tensors.filter((tensor) => !isEmpty(tensor));
  const parts = (full.length > 0 ? full : tensors.slice(0, 1)).map((part) => to(part, dtype));
  const [first] = parts;
  const axis = axisOf(first!, dim, 'cat');
  for (const { shape } of parts) {
    const fits =
      shape.length === first!.shape.length &&
      shape.every((size, at) => at === axis || size === first!.shape[at]);
    if (fits) continue;
    throw raised(
      'RuntimeError',
      `cat: shapes ${shapeText(first!.shape)} and ${shapeText(shape)} differ in more than dimension ${axis}`,
    );
  }
  const joined = parts.reduce((sum, { shape }) => sum + shape[axis]!, 0);
  return emit('cat', parts, { dim: axis }, first!.shape.with(axis, joined), dtype);
}

/** Joins along a new axis. */
export function stack(tensors: readonly PyTensor[], dim: number, what = 'stack'): PyTensor {
  const [first] = tensors;
  const { shape } = first!;
  const axis = normalizeDim(dim, shape.length + 1, what);
  const other = tensors.find((tensor) => tensor.shape.join() !== shape.join());
  if (other) {
    throw raised(
      'RuntimeError',
      `${what}: shapes ${shapeText(shape)} and ${shapeText(other.shape)} are not equal`,
    );
  }
  checkRank(shape.length + 1, what);
  const dtype = resultType(tensors);
  const parts = tensors.map((part) => to(part, dtype));
  return emit('stack', parts, { dim: axis }, shape.toSpliced(axis, 0, tensors.length), dtype);
}

/** New axes where a tensor has fewer than `rank`, as numpy.atleast_3d places them. */
export function atLeast(x: PyTensor, rank: 1 | 2 | 3): PyTensor {
  const { shape } = x;
  if (shape.length >= rank) return x;
  const missing = rank - shape.length;
  if (rank < 3 || shape.length === 0) {
    return view(x, [...new Array<number>(missing).fill(1), ...shape], `atleast_${rank}d`);
  }
  return view(x, shape.length === 1 ? [1, shape[0]!, 1] : [...shape, 1], 'atleast_3d');
}

/** Side by side: along the second axis, of vectors along the first. */
export function hstack(tensors: readonly PyTensor[]): PyTensor {
  const parts = tensors.map((part) => atLeast(part, 1));
  return cat(parts, parts[0]!.shape.length === 1 ? 0 : 1);
}

/** Below one another. */
export function vstack(tensors: readonly PyTensor[]): PyTensor {
  return cat(
    tensors.map((part) => atLeast(part, 2)),
    0,
  );
}

/** Behind one another. */
export function dstack(tensors: readonly PyTensor[]): PyTensor {
  return cat(
    tensors.map((part) => atLeast(part, 3)),
    2,
  );
}

/** Vectors as columns of a matrix. */
export function columnStack(tensors: readonly PyTensor[]): PyTensor {
  const columns = tensors.map((part) =>
    part.shape.length < 2 ? view(part, [numel(part.shape), 1], 'column_stack') : part,
  );
  return hstack(columns);
}

/** As many copies along each axis; axes beyond x's own come first. */
export function repeat(x: PyTensor, repeats: readonly number[], what = 'repeat'): PyTensor {
  checkRank(repeats.length, what);
  if (repeats.length < x.shape.length || repeats.some((times) => times < 0)) {
    throw raised(
      'RuntimeError',
      `${what}: repeats (${repeats.join(', ')}) for a ${x.shape.length}-d tensor`,
    );
  }
  const missing = repeats.length - x.shape.length;
  const shape = repeats.map((times, axis) => times * (x.shape[axis - missing] ?? 1));
  return emit('repeat', [x], { repeats }, shape, x.dtype);
}

/** `repeat` where missing entries are ones. */
export function tile(x: PyTensor, dims: readonly number[]): PyTensor {
  const missing = Math.max(0, x.shape.length - dims.length);
  return repeat(x, [...new Array<number>(missing).fill(1), ...dims], 'tile');
}

/** Each element of an axis several times in a row; without an axis, of the flattened tensor. */
export function repeatInterleave(x: PyTensor, repeats: number, dim: number | null): PyTensor {
  if (dim === null) return repeatInterleave(flatten(x, 0, -1), repeats, 0);
  const axis = axisOf(x, dim, 'repeat_interleave');
  if (repeats < 0) {
    throw raised('RuntimeError', `repeat_interleave: repeats must not be negative, not ${repeats}`);
  }
  const shape = x.shape.with(axis, x.shape[axis]! * repeats);
  return emit('repeat_interleave', [x], { repeats, dim: axis }, shape, x.dtype);
}

/** Element i of the axis repeats[i] times in a row. */
export function repeatEach(x: PyTensor, repeats: readonly number[], dim: number | null): PyTensor {
  if (dim === null) return repeatEach(flatten(x, 0, -1), repeats, 0);
  const axis = axisOf(x, dim, 'repeat_interleave');
  if (repeats.length !== x.shape[axis] || repeats.some((times) => times < 0)) {
    throw raised(
      'RuntimeError',
      `repeat_interleave: ${repeats.length} repeats for a dimension of size ${x.shape[axis]}`,
    );
  }
  x.session.interpreter.allocate(repeats.reduce((sum, times) => sum + times, 0));
  const places = repeats.flatMap((times, at) => new Array<number>(times).fill(at));
  const index = hostTensor(x, 'repeat_interleave', [places.length], 'int64', () =>
    Float64Array.from(places),
  );
  return indexSelect(x, axis, index);
}

export type PadMode = Ops['pad']['attrs']['mode'];

/**
 * torch.nn.functional.pad: `pad` holds [before, after] of the last axis first, as there. Reflection
 * needs more elements than it adds, circular padding at least as many.
 */
export function pad(x: PyTensor, flat: readonly number[], mode: PadMode, value: number): PyTensor {
  const rank = x.shape.length;
  if (flat.length % 2 !== 0 || flat.length / 2 > rank) {
    throw raised('RuntimeError', `pad: ${flat.length} numbers for a ${rank}-d tensor`);
  }
  const pairs = x.shape.map((_, axis): [number, number] => {
    const at = 2 * (rank - 1 - axis);
    return [flat[at] ?? 0, flat[at + 1] ?? 0];
  });
  const shape = x.shape.map((size, axis) => size + pairs[axis]![0] + pairs[axis]![1]);
  if (shape.some((size) => size < 0)) {
    throw raised(
      'RuntimeError',
      `pad: (${flat.join(', ')}) leaves less than nothing of ${shapeText(x.shape)}`,
    );
  }
  if (mode !== 'constant') checkMode(x, flat, pairs, mode);
  return emit('pad', [x], { pad: pairs, mode, value }, shape, x.dtype);
}

function checkMode(
  { shape }: PyTensor,
  flat: readonly number[],
  pairs: readonly (readonly [number, number])[],
  mode: PadMode,
): void {
  const padded = flat.length / 2;
  // With or without the axis of batches.
  if (shape.length - padded !== 1 && shape.length - padded !== 2) {
    throw raised(
      'RuntimeError',
      `pad: mode "${mode}" of a ${shape.length}-d tensor needs as many numbers as it has axes beside batch and channel, not ${flat.length}`,
    );
  }
  pairs.forEach(([before, after], axis) => {
    const most = {
      reflect: shape[axis]! - 1,
      circular: shape[axis]!,
      replicate: Infinity,
      constant: Infinity,
    }[mode];
    if (before <= most && after <= most) return;
    throw raised(
      'RuntimeError',
      `pad: mode "${mode}" adds (${before}, ${after}) to dimension ${axis}, at most ${most} are possible`,
    );
  });
}

/** Shifts elements round along axes; without axes, of the flattened tensor. */
export function roll(x: PyTensor, shifts: readonly number[], dims: readonly number[]): PyTensor {
  if (dims.length === 0 && shifts.length === 1) {
    return reshape(roll(reshape(x, [-1], 'roll'), shifts, [0]), x.shape, 'roll');
  }
  if (shifts.length !== dims.length) {
    throw raised('RuntimeError', `roll: ${shifts.length} shifts for ${dims.length} dimensions`);
  }
  const axes = dims.map((dim) => axisOf(x, dim, 'roll'));
  return emit('roll', [x], { shifts, dims: axes }, x.shape, x.dtype);
}

export function flip(x: PyTensor, dims: readonly number[]): PyTensor {
  const axes = dims.map((dim) => normalizeDim(dim, x.shape.length, 'flip'));
  if (new Set(axes).size !== axes.length) {
    throw raised('RuntimeError', `flip: dims (${dims.join(', ')}) name a dimension twice`);
  }
  if (x.shape.length === 0) return clone(x);
  return emit('flip', [x], { dims: axes }, x.shape, x.dtype);
}

/** k quarter turns from the first of the two axes towards the second. */
export function rot90(x: PyTensor, k: number, dims: readonly number[]): PyTensor {
  const axes = dims.map((dim) => axisOf(x, dim, 'rot90'));
  const [a, b] = axes;
  if (axes.length !== 2 || a === b) {
    throw raised('RuntimeError', `rot90: dims (${dims.join(', ')}) are not two dimensions`);
  }
  const swapped = x.shape.map((_, axis) => (axis === a ? b! : axis === b ? a! : axis));
  switch (((k % 4) + 4) % 4) {
    case 1:
      return permute(flip(x, [b!]), swapped, 'rot90');
    case 2:
      return flip(x, axes);
    case 3:
      return permute(flip(x, [a!]), swapped, 'rot90');
    default:
      return clone(x);
  }
}

/** The triangle below (tril) or above (triu) a diagonal of the last two axes, zeros elsewhere. */
export function triangle(op: 'tril' | 'triu', x: PyTensor, diagonal: number): PyTensor {
  if (x.shape.length < 2) {
    throw raised('RuntimeError', `${op}: at least 2 dimensions are needed, not ${x.shape.length}`);
  }
  return emit(op, [x], { diagonal }, x.shape, x.dtype);
}

/** The diagonal of a matrix, or a matrix with a vector on its diagonal. */
export function diag(x: PyTensor, offset: number): PyTensor {
  if (x.shape.length === 2) return clone(diagonal(x, offset, 0, 1));
  if (x.shape.length === 1) return diagonalMatrix(x, offset);
  throw raised('RuntimeError', `diag: a vector or a matrix is needed, not ${shapeText(x.shape)}`);
}

/** A matrix that has the vector on one of its diagonals. */
function diagonalMatrix(x: PyTensor, offset: number): PyTensor {
  const length = x.shape[0]!;
  const size = length + Math.abs(offset);
  const count = numel([size, size]);
  x.session.interpreter.allocate(1);
  const zeros = hostTensor(x, 'diag', [count], x.dtype, () => new Float64Array(count));
  const start = Math.max(0, offset) + Math.max(0, -offset) * size;
  const filled = sliceScatter(zeros, x, { start: [start], size: [length], step: [size + 1] });
  return view(filled, [size, size], 'diag');
}
