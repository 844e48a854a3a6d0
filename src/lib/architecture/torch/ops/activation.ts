/** Activations. All of them work on float32 alone, except those that PyTorch defines for integers. */
import type { UnaryOp } from '../../graph.ts';
import { raised } from '../../python/errors.ts';
import { demandFloat, emit } from '../emit.ts';
import { normalizeDim } from '../shapes.ts';
import { shapeText, type PyTensor } from '../tensor.ts';

/** Activations without an argument. */
export const plainActivations = [
  'hardsigmoid',
  'hardswish',
  'logsigmoid',
  'mish',
  'selu',
  'silu',
  'softsign',
  'tanhshrink',
] as const satisfies readonly UnaryOp[];

export function activation(op: (typeof plainActivations)[number], x: PyTensor): PyTensor {
  demandFloat(op, x);
  return emit(op, [x], {}, x.shape, x.dtype);
}

/** max(x, 0); at 0 the gradient is 0. */
export function relu(x: PyTensor): PyTensor {
  if (x.dtype === 'bool') throw raised('RuntimeError', 'relu of a bool tensor is not defined');
  return emit('relu', [x], {}, x.shape, x.dtype);
}

/** Between 0 and 6; at both ends the gradient is 0. */
export function relu6(x: PyTensor): PyTensor {
  demandFloat('relu6', x);
  return emit('relu6', [x], {}, x.shape, x.dtype);
}

export function leakyRelu(x: PyTensor, slope: number): PyTensor {
  demandFloat('leaky_relu', x);
  return emit('leaky_relu', [x], { negative_slope: slope }, x.shape, x.dtype);
}

/** x, or alpha · (eˣ − 1) below 0; of celu, alpha · (e^(x / alpha) − 1). */
export function elu(op: 'elu' | 'celu', x: PyTensor, alpha: number): PyTensor {
  demandFloat(op, x);
  if (op === 'celu' && alpha === 0) throw raised('RuntimeError', 'celu: alpha must not be 0');
  return emit(op, [x], { alpha }, x.shape, x.dtype);
}

export function gelu(x: PyTensor, approximate: 'none' | 'tanh'): PyTensor {
  demandFloat('gelu', x);
  return emit('gelu', [x], { approximate }, x.shape, x.dtype);
}

/** log(1 + e^(beta · x)) / beta, and x itself where beta · x is beyond the threshold. */
export function softplus(x: PyTensor, beta: number, threshold: number): PyTensor {
  demandFloat('softplus', x);
  return emit('softplus', [x], { beta, threshold }, x.shape, x.dtype);
}

/** Between min and max; at both ends the gradient is 0. */
export function hardtanh(x: PyTensor, min: number, max: number): PyTensor {
  demandFloat('hardtanh', x);
  if (min > max) {
    throw raised('ValueError', `hardtanh: min_val ${min} is larger than max_val ${max}`);
  }
  return emit('hardtanh', [x], { min_val: min, max_val: max }, x.shape, x.dtype);
}

export function shrink(op: 'hardshrink' | 'softshrink', x: PyTensor, lambd: number): PyTensor {
  demandFloat(op, x);
  if (op === 'softshrink' && lambd < 0) {
    throw raised('RuntimeError', `softshrink: lambd must not be negative, it is ${lambd}`);
  }
  return emit(op, [x], { lambd }, x.shape, x.dtype);
}

/** x where it is beyond the threshold, `value` elsewhere. */
export function threshold(x: PyTensor, limit: number, value: number): PyTensor {
  demandFloat('threshold', x);
  return emit('threshold', [x], { threshold: limit, value }, x.shape, x.dtype);
}

/** x, or weight · x below 0; one weight for all, or one for each channel (axis 1). */
export function prelu(x: PyTensor, weight: PyTensor): PyTensor {
  demandFloat('prelu', x, weight);
  const [count = 1] = weight.shape;
  const channels = x.shape.length < 2 ? 1 : x.shape[1];
  if (weight.shape.length > 1 || (count !== 1 && count !== channels)) {
    throw raised(
      'RuntimeError',
      `prelu: weight has shape ${shapeText(weight.shape)}, input has ${channels} channels`,
    );
  }
  return emit('prelu', [x, weight], {}, x.shape, x.dtype);
}

/** The first half along an axis times the sigmoid of the second. */
export function glu(x: PyTensor, dim: number): PyTensor {
  demandFloat('glu', x);
  const axis = normalizeDim(dim, x.shape.length, 'glu');
  const size = x.shape[axis];
  if (size === undefined || size % 2 !== 0) {
    throw raised(
      'RuntimeError',
      `glu: dimension ${dim} has ${size ?? 'no'} elements, an even number is needed`,
    );
  }
  return emit('glu', [x], { dim: axis }, x.shape.with(axis, size / 2), x.dtype);
}
