/** Ops that take axes together. */
import { demandFloat, emit } from '../emit.ts';
import { normalizeDim } from '../shapes.ts';
import type { PyTensor } from '../tensor.ts';

export function softmax(op: 'softmax' | 'log_softmax', x: PyTensor, dim: number | null): PyTensor {
  demandFloat(op, x);
  const rank = x.shape.length;
  // Without a dim, PyTorch falls back on what it once did.
  const axis = dim === null ? (rank === 0 || rank === 1 || rank === 3 ? 0 : 1) : dim;
  return emit(op, [x], { dim: normalizeDim(axis, rank, op) }, x.shape, x.dtype);
}
