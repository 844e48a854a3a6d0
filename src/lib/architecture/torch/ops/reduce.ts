/** Ops that take axes together, or go along one. */
import { numel } from '#lib/checkpoint/tensor.ts';
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { raised } from '../../python/errors.ts';
import { demandFloat, emit, emitMany } from '../emit.ts';
import { isInteger } from '../promotion.ts';
import { normalizeDim } from '../shapes.ts';
import type { PyTensor } from '../tensor.ts';
import { to } from './arithmetic.ts';
import { reshape } from './shape.ts';

/** Axes to take together; null and an empty list are all of them. */
export type Dims = readonly number[] | null;

function reducedDims(x: PyTensor, dims: Dims, what: string): number[] {
  const rank = x.shape.length;
  if (dims === null || dims.length === 0) return x.shape.map((_, axis) => axis);
  const axes = dims.map((dim) => normalizeDim(dim, rank, what));
  if (new Set(axes).size < axes.length) {
    throw raised('RuntimeError', `${what}: a dimension appears twice in ${dims.join(', ')}`);
  }
  return rank === 0 ? [] : axes.sort((a, b) => a - b);
}

function reducedShape(x: PyTensor, dims: readonly number[], keepdim: boolean): number[] {
  if (keepdim) return x.shape.map((size, axis) => (dims.includes(axis) ? 1 : size));
  return x.shape.filter((_, axis) => !dims.includes(axis));
}

/** What `sum` and `prod` give: integers and bools as int64. */
function accumulated(dtype: Dtype): Dtype {
  return isInteger(dtype) ? 'int64' : dtype;
}

export function sum(x: PyTensor, dims: Dims, keepdim: boolean, dtype: Dtype | null): PyTensor {
  const axes = reducedDims(x, dims, 'sum');
  const input = to(x, dtype ?? accumulated(x.dtype));
  const shape = reducedShape(x, axes, keepdim);
  return emit('sum', [input], { dims: axes, keepdim }, shape, input.dtype);
}

export function prod(x: PyTensor, dims: Dims, keepdim: boolean, dtype: Dtype | null): PyTensor {
  const axes = reducedDims(x, dims, 'prod');
  const input = to(x, dtype ?? accumulated(x.dtype));
  const shape = reducedShape(x, axes, keepdim);
  return emit('prod', [input], { dims: axes, keepdim }, shape, input.dtype);
}

export function mean(x: PyTensor, dims: Dims, keepdim: boolean, dtype: Dtype | null): PyTensor {
  const input = to(x, dtype ?? x.dtype);
  if (isInteger(input.dtype)) {
    throw raised('RuntimeError', `mean: a float is needed, the tensor is ${input.dtype}`);
  }
  const axes = reducedDims(x, dims, 'mean');
  return emit(
    'mean',
    [input],
    { dims: axes, keepdim },
    reducedShape(x, axes, keepdim),
    input.dtype,
  );
}

/** The largest or smallest; ties share the gradient. */
export function extreme(op: 'amax' | 'amin', x: PyTensor, dims: Dims, keepdim: boolean): PyTensor {
  if (x.dtype === 'bool')
    throw raised('RuntimeError', `${op} of a bool tensor is not defined here`);
  const axes = reducedDims(x, dims, op);
  demandElements(op, x, axes);
  return emit(op, [x], { dims: axes, keepdim }, reducedShape(x, axes, keepdim), x.dtype);
}

function demandElements(what: string, x: PyTensor, axes: readonly number[]): void {
  if (numel(axes.map((axis) => x.shape[axis]!)) > 0) return;
  throw raised('IndexError', `${what}: there is no element to choose`);
}

/** Variance or its root, divided by as many elements less `correction`. */
export function spread(
  op: 'var' | 'std',
  x: PyTensor,
  dims: Dims,
  correction: number,
  keepdim: boolean,
): PyTensor {
  demandFloat(op, x);
  const axes = reducedDims(x, dims, op);
  return emit(
    op,
    [x],
    { dims: axes, keepdim, correction },
    reducedShape(x, axes, keepdim),
    x.dtype,
  );
}

/** ‖x‖ₚ */
export function norm(x: PyTensor, p: number, dims: Dims, keepdim: boolean): PyTensor {
  demandFloat('norm', x);
  const axes = reducedDims(x, dims, 'norm');
  return emit('norm', [x], { dims: axes, keepdim, p }, reducedShape(x, axes, keepdim), x.dtype);
}

export function logsumexp(x: PyTensor, dims: Dims, keepdim: boolean): PyTensor {
  demandFloat('logsumexp', x);
  const axes = reducedDims(x, dims, 'logsumexp');
  return emit('logsumexp', [x], { dims: axes, keepdim }, reducedShape(x, axes, keepdim), x.dtype);
}

export function quantified(op: 'any' | 'all', x: PyTensor, dims: Dims, keepdim: boolean): PyTensor {
  const axes = reducedDims(x, dims, op);
  const shape = reducedShape(x, axes, keepdim);
  return emit(op, [to(x, 'bool')], { dims: axes, keepdim }, shape, 'bool');
}

/** Where the largest or smallest lies, the first where there are several; without a dim, in the flat tensor. */
export function extremeIndex(
  op: 'argmax' | 'argmin',
  x: PyTensor,
  dim: number | null,
  keepdim: boolean,
): PyTensor {
  if (dim === null) {
    const index = extremeIndex(op, reshape(x, [x.numel], op), 0, false);
    return keepdim
      ? reshape(
          index,
          x.shape.map(() => 1),
          op,
        )
      : index;
  }
  const axis = normalizeDim(dim, x.shape.length, op);
  demandElements(op, x, x.shape.length === 0 ? [] : [axis]);
  return emit(op, [x], { dim: axis, keepdim }, reducedShape(x, [axis], keepdim), 'int64');
}

/** Values and indices; the gradient goes to the index alone. */
export function extremes(
  op: 'max' | 'min',
  x: PyTensor,
  dim: number,
  keepdim: boolean,
): PyTensor[] {
  const axis = normalizeDim(dim, x.shape.length, op);
  demandElements(op, x, x.shape.length === 0 ? [] : [axis]);
  const shape = reducedShape(x, [axis], keepdim);
  return emitMany(op, [x], { dim: axis, keepdim }, [
    { shape, dtype: x.dtype },
    { shape, dtype: 'int64' },
  ]);
}

/** The k largest or smallest along an axis: values and indices. */
export function topk(
  x: PyTensor,
  k: number,
  dim: number,
  largest: boolean,
  sorted: boolean,
): PyTensor[] {
  const axis = normalizeDim(dim, x.shape.length, 'topk');
  const size = x.shape[axis] ?? 1;
  if (k < 0 || k > size) {
    throw raised('RuntimeError', `topk: k is ${k}, dimension ${dim} has ${size} elements`);
  }
  const shape = x.shape.length === 0 ? [] : x.shape.with(axis, k);
  return emitMany('topk', [x], { dim: axis, k, largest, sorted }, [
    { shape, dtype: x.dtype },
    { shape, dtype: 'int64' },
  ]);
}

/** Values and indices in order. */
export function sort(x: PyTensor, dim: number, descending: boolean, stable: boolean): PyTensor[] {
  const axis = normalizeDim(dim, x.shape.length, 'sort');
  return emitMany('sort', [x], { dim: axis, descending, stable }, [
    { shape: x.shape, dtype: x.dtype },
    { shape: x.shape, dtype: 'int64' },
  ]);
}

/** Running sums or products along an axis. */
export function cumulative(
  op: 'cumsum' | 'cumprod',
  x: PyTensor,
  dim: number,
  dtype: Dtype | null,
): PyTensor {
  const axis = normalizeDim(dim, x.shape.length, op);
  const input = to(x, dtype ?? accumulated(x.dtype));
  return emit(op, [input], { dim: axis }, x.shape, input.dtype);
}

/** Without a dim, PyTorch falls back on what it once did. */
export function softmax(
  op: 'softmax' | 'log_softmax',
  x: PyTensor,
  dim: number | null,
  dtype: Dtype | null = null,
): PyTensor {
  const input = to(x, dtype ?? x.dtype);
  demandFloat(op, input);
  const rank = x.shape.length;
  const axis = dim === null ? (rank === 0 || rank === 1 || rank === 3 ? 0 : 1) : dim;
  return emit(op, [input], { dim: normalizeDim(axis, rank, op) }, x.shape, input.dtype);
}

/** x / max(‖x‖ₚ, eps) along an axis. */
export function normalize(x: PyTensor, p: number, dim: number, eps: number): PyTensor {
  demandFloat('normalize', x);
  const axis = normalizeDim(dim, x.shape.length, 'normalize');
  return emit('normalize', [x], { dim: axis, p, eps }, x.shape, x.dtype);
}
