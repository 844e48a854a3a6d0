/** Losses: targets and weights that fit, and the shape that the reduction leaves. */
import type { Reduction } from '../../ops/loss.ts';
import { raised } from '../../python/errors.ts';
import { demandFloat, demandShape, emit, type Attrs } from '../emit.ts';
import { broadcast, normalizeDim } from '../shapes.ts';
import { shapeText, type PyTensor } from '../tensor.ts';

function reduced(shape: readonly number[], reduction: Reduction | 'batchmean'): readonly number[] {
  return reduction === 'none' ? shape : [];
}

/** input (N, C, …) or (C); target (N, …) of indices, or for cross_entropy of input's shape. */
export function classLoss<K extends 'cross_entropy' | 'nll_loss'>(
  op: K,
  input: PyTensor,
  target: PyTensor,
  weight: PyTensor | null,
  attrs: Attrs<K>,
): PyTensor {
  demandFloat(op, input, weight);
  const rank = input.shape.length;
  if (rank === 0) throw raised('RuntimeError', `${op}: input has no axis of classes`);
  const axis = rank === 1 ? 0 : 1;
  const classes = input.shape[axis]!;
  const rest = input.shape.toSpliced(axis, 1);
  demandShape(op, 'weight', weight, [classes]);
  const isIndex = target.dtype === 'int64' || target.dtype === 'uint8';
  if (isIndex) {
    if (target.shape.join() !== rest.join()) {
      throw raised(
        'ValueError',
        `${op}: target has shape ${shapeText(target.shape)}, ${shapeText(rest)} is needed`,
      );
    }
  } else {
    if (op === 'nll_loss' || target.dtype !== 'float32') {
      throw raised('RuntimeError', `${op}: target is ${target.dtype}, int64 is needed`);
    }
    demandShape(op, 'target', target, input.shape);
    if ('ignore_index' in attrs && attrs.ignore_index >= 0) {
      throw raised('RuntimeError', `${op}: ignore_index is for targets that are indices`);
    }
  }
  return emit(op, [input, target, weight], attrs, reduced(rest, attrs.reduction), input.dtype);
}

type PairLoss = 'mse_loss' | 'l1_loss' | 'smooth_l1_loss' | 'huber_loss' | 'kl_div';

/** Losses of numbers against numbers, which broadcast. */
export function pairLoss<K extends PairLoss>(
  op: K,
  input: PyTensor,
  target: PyTensor,
  attrs: Attrs<K>,
): PyTensor {
  demandFloat(op, input, target);
  const shape = broadcast(input.shape, target.shape, op);
  return emit(op, [input, target], attrs, reduced(shape, attrs.reduction), input.dtype);
}

/** Probabilities, or logits, against probabilities of the same shape. */
export function binaryCrossEntropy(
  input: PyTensor,
  target: PyTensor,
  weight: PyTensor | null,
  reduction: Reduction,
): PyTensor {
  const what = 'binary_cross_entropy';
  const shape = binaryShape(what, input, target, [weight]);
  return emit(what, [input, target, weight], { reduction }, reduced(shape, reduction), input.dtype);
}

export function binaryCrossEntropyWithLogits(
  input: PyTensor,
  target: PyTensor,
  weight: PyTensor | null,
  posWeight: PyTensor | null,
  reduction: Reduction,
): PyTensor {
  const what = 'binary_cross_entropy_with_logits';
  const shape = binaryShape(what, input, target, [weight, posWeight]);
  const inputs = [input, target, weight, posWeight];
  return emit(what, inputs, { reduction }, reduced(shape, reduction), input.dtype);
}

function binaryShape(
  what: string,
  input: PyTensor,
  target: PyTensor,
  weights: readonly (PyTensor | null)[],
): readonly number[] {
  demandFloat(what, input, target, ...weights);
  if (input.shape.join() !== target.shape.join()) {
    throw raised(
      'ValueError',
      `${what}: input has shape ${shapeText(input.shape)}, target ${shapeText(target.shape)}`,
    );
  }
  return weights.reduce(
    (shape, weight) => broadcast(shape, weight?.shape ?? [], what),
    [...input.shape],
  );
}

export function cosineSimilarity(x1: PyTensor, x2: PyTensor, dim: number, eps: number): PyTensor {
  const what = 'cosine_similarity';
  demandFloat(what, x1, x2);
  const shape = broadcast(x1.shape, x2.shape, what);
  const axis = normalizeDim(dim, shape.length, what);
  return emit(what, [x1, x2], { dim: axis, eps }, shape.toSpliced(axis, 1), x1.dtype);
}
