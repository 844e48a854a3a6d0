/** Views, joins, and picking by index. */
import { numel } from '#lib/checkpoint/tensor.ts';
import { raised } from '../../python/errors.ts';
import { emit } from '../emit.ts';
import { inferShape, normalizeDim } from '../shapes.ts';
import type { PyTensor } from '../tensor.ts';

/** A view of the same elements. */
export function reshape(x: PyTensor, to: readonly number[], what: string): PyTensor {
  const shape = inferShape(x.shape, to, what);
  return emit('reshape', [x], { shape }, shape, x.dtype, { memory: x.memory });
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
