/** Ops that take axes together, and matrix products. */
import { raised, unsupported } from '../../python/errors.ts';
import { demandFloat, demandShape, emit, named } from '../emit.ts';
import { normalizeDim } from '../shapes.ts';
import { shapeText, type PyTensor } from '../tensor.ts';

export function linear(x: PyTensor, weight: PyTensor, bias: PyTensor | null): PyTensor {
  demandFloat('linear', x, weight, bias);
  const [out, features] = weight.shape;
  if (weight.shape.length !== 2) {
    throw unsupported(`linear: ${named('weight', weight)} has shape ${shapeText(weight.shape)}`);
  }
  if (x.shape.at(-1) !== features) {
    throw raised(
      'RuntimeError',
      `linear: input has ${x.shape.at(-1) ?? 'no'} features, ${named('weight', weight)} takes ${features}`,
    );
  }
  demandShape('linear', 'bias', bias, [out!]);
  return emit('linear', [x, weight, bias], {}, [...x.shape.slice(0, -1), out!], x.dtype);
}

export function softmax(op: 'softmax' | 'log_softmax', x: PyTensor, dim: number | null): PyTensor {
  demandFloat(op, x);
  const rank = x.shape.length;
  // Without a dim, PyTorch falls back on what it once did.
  const axis = dim === null ? (rank === 0 || rank === 1 || rank === 3 ? 0 : 1) : dim;
  return emit(op, [x], { dim: normalizeDim(axis, rank, op) }, x.shape, x.dtype);
}
