/** Products of matrices. */
import { numel } from '#lib/checkpoint/tensor.ts';
import { raised, unsupported } from '../../python/errors.ts';
import { demandFloat, demandShape, emit, named } from '../emit.ts';
import { broadcast } from '../shapes.ts';
import { shapeText, type PyTensor } from '../tensor.ts';
import { add, binary } from './arithmetic.ts';
import { axisOf, expand, permute, reshape, transpose } from './shape.ts';

/**
 * Factors have one dtype: float32, or any where the source's own numbers are multiplied. The host
 * then takes about a step for 64 products.
 */
export function demandFactors(what: string, factors: readonly PyTensor[], products: number): void {
  const [{ dtype, session }] = factors as readonly [PyTensor];
  const other = factors.find((factor) => factor.dtype !== dtype);
  if (other) throw raised('RuntimeError', `${what}: tensors are ${dtype} and ${other.dtype}`);
  if (factors.every((factor) => factor.hostValue))
    session.interpreter.step(Math.ceil(products / 64));
  else demandFloat(what, ...factors);
}

/** torch.matmul: vectors are rows on the left and columns on the right; batches are broadcast. */
export function matmul(a: PyTensor, b: PyTensor, what = 'matmul'): PyTensor {
  const problem = (): Error =>
    raised(
      'RuntimeError',
      `${what}: shapes ${shapeText(a.shape)} and ${shapeText(b.shape)} do not fit`,
    );
  if (a.shape.length === 0 || b.shape.length === 0) throw problem();
  const rows = a.shape.length > 1 ? [a.shape.at(-2)!] : [];
  const columns = b.shape.length > 1 ? [b.shape.at(-1)!] : [];
  const inner = a.shape.at(-1)!;
  if (inner !== (b.shape.at(-2) ?? b.shape[0])) throw problem();
  const batch = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2), what);
  const shape = [...batch, ...rows, ...columns];
  demandFactors(what, [a, b], numel(shape) * inner);
  return emit('matmul', [a, b], {}, shape, a.dtype);
}

/** matmul of tensors of exactly these ranks: mm, bmm, mv, dot. */
export function matmulOf(
  what: string,
  a: PyTensor,
  b: PyTensor,
  ranks: readonly [number, number],
): PyTensor {
  const isBatch = ranks[0] === 3;
  if (a.shape.length === ranks[0] && b.shape.length === ranks[1]) {
    if (!isBatch || a.shape[0] === b.shape[0]) return matmul(a, b, what);
  }
  throw raised(
    'RuntimeError',
    `${what}: shapes ${shapeText(a.shape)} and ${shapeText(b.shape)}, ${ranks[0]}-d and ${ranks[1]}-d tensors${isBatch ? ' of one batch size' : ''} are needed`,
  );
}

/** beta · input + alpha · product, as addmm and its like compute. */
export function addProduct(
  input: PyTensor,
  product: PyTensor,
  { beta, alpha }: { readonly beta: number; readonly alpha: number },
): PyTensor {
  if (beta === 0) return scaled(product, alpha);
  expand(input, product.shape, 'addmm');
  return add(scaled(input, beta), product, alpha);
}

function scaled(x: PyTensor, factor: number): PyTensor {
  return factor === 1 ? x : binary('mul', x, { kind: 'float', value: factor }, {});
}

/** Sums over pairs of axes of a and b; the others stay, a's first. */
export function tensordot(
  a: PyTensor,
  b: PyTensor,
  dimsA: readonly number[],
  dimsB: readonly number[],
): PyTensor {
  const [left, right] = [
    dimsA.map((dim) => axisOf(a, dim, 'tensordot')),
    dimsB.map((dim) => axisOf(b, dim, 'tensordot')),
  ];
  const fits = left.every((axis, at) => a.shape[axis] === b.shape[right[at]!]);
  if (left.length !== right.length || !fits) {
    throw raised(
      'RuntimeError',
      `tensordot: dims (${dimsA}) of ${shapeText(a.shape)} and (${dimsB}) of ${shapeText(b.shape)} do not fit`,
    );
  }
  const rest = (x: PyTensor, axes: readonly number[]): number[] =>
    x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const [restA, restB] = [rest(a, left), rest(b, right)];
  const sizes = (x: PyTensor, axes: readonly number[]): number[] =>
    axes.map((axis) => x.shape[axis]!);
  const inner = numel(sizes(a, left));
  const [sizesA, sizesB] = [sizes(a, restA), sizes(b, restB)];
  const rows = reshape(permute(a, [...restA, ...left]), [numel(sizesA), inner], 'tensordot');
  const columns = reshape(permute(b, [...right, ...restB]), [inner, numel(sizesB)], 'tensordot');
  return reshape(matmul(rows, columns, 'tensordot'), [...sizesA, ...sizesB], 'tensordot');
}

/** Sums over the last axis of both; a number of no axes multiplies. */
export function inner(a: PyTensor, b: PyTensor): PyTensor {
  if (a.shape.length === 0 || b.shape.length === 0) return binary('mul', a, b, {});
  return tensordot(a, b, [-1], [-1]);
}

export function outer(a: PyTensor, b: PyTensor): PyTensor {
  if (a.shape.length === 1 && b.shape.length === 1) {
    return binary('mul', reshape(a, [-1, 1], 'outer'), reshape(b, [1, -1], 'outer'), {});
  }
  throw raised(
    'RuntimeError',
    `outer: shapes ${shapeText(a.shape)} and ${shapeText(b.shape)}, vectors are needed`,
  );
}

/** x (…, in) · weightᵀ + bias; a weight without an axis for outputs gives one number each. */
export function linear(x: PyTensor, weight: PyTensor, bias: PyTensor | null): PyTensor {
  demandFloat('linear', x, weight, bias);
  if (weight.shape.length === 1) {
    const product = matmul(x, weight, 'linear');
    return bias ? add(product, bias) : product;
  }
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

/** x1ᵀ · weight[o] · x2 + bias, for each output o. */
export function bilinear(
  x1: PyTensor,
  x2: PyTensor,
  weight: PyTensor,
  bias: PyTensor | null,
): PyTensor {
  demandFloat('bilinear', x1, x2, weight, bias);
  const [out, in1, in2] = weight.shape;
  const batch = x1.shape.slice(0, -1);
  const fits =
    weight.shape.length === 3 &&
    x1.shape.at(-1) === in1 &&
    x2.shape.at(-1) === in2 &&
    batch.join() === x2.shape.slice(0, -1).join();
  if (!fits) {
    throw raised(
      'RuntimeError',
      `bilinear: inputs ${shapeText(x1.shape)} and ${shapeText(x2.shape)} do not fit ${named('weight', weight)} ${shapeText(weight.shape)}`,
    );
  }
  demandShape('bilinear', 'bias', bias, [out!]);
  return emit('bilinear', [x1, x2, weight, bias], {}, [...batch, out!], x1.dtype);
}

/** The transposed matrices of a batch: `mT`. */
export function matrixTranspose(x: PyTensor, what: string): PyTensor {
  if (x.shape.length >= 2) return transpose(x, -2, -1);
  throw raised('RuntimeError', `${what}: at least 2 dimensions are needed, not ${x.shape.length}`);
}
