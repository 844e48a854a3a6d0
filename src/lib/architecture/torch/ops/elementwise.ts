/** Arithmetic, activations, comparisons: element by element. */
import type { BinaryOp, Ops, UnaryOp } from '../../graph.ts';
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { raised } from '../../python/errors.ts';
import { demandFloat, emit, type Attrs } from '../emit.ts';
import { isInteger, resultType, type NumberKind } from '../promotion.ts';
import { broadcast } from '../shapes.ts';
import { PyTensor } from '../tensor.ts';

/** A tensor or a number of Python; at least one operand of an op is a tensor. */
export type Operand = PyTensor | PyNumber;

/** A Python number: bool, int or float matter to the dtype of the result. */
export interface PyNumber {
  readonly kind: NumberKind;
  readonly value: number;
}

/** Functions of the numbers alone. Integers become float32 first. */
export function unary(op: UnaryOp, x: PyTensor): PyTensor {
  return emit(op, [isInteger(x.dtype) ? to(x, 'float32') : x], {}, x.shape, floatOf(x.dtype));
}

function floatOf(dtype: Dtype): Dtype {
  return isInteger(dtype) ? 'float32' : dtype;
}

/** The numbers as another dtype; the tensor itself where it has that one. */
export function to(x: PyTensor, dtype: Dtype): PyTensor {
  return x.dtype === dtype ? x : emit('to', [x], {}, x.shape, dtype);
}

type ScalarOp = {
  [K in keyof Ops]: Ops[K]['attrs'] extends { scalar: number } ? K : never;
}[keyof Ops];

/**
 * x ∘ y with broadcasting. Both are brought to their common dtype, which is the result's unless
 * `dtype` says otherwise.
 */
export function binary<K extends Extract<ScalarOp, BinaryOp | 'add' | 'sub' | 'div'>>(
  op: K,
  x: Operand,
  y: Operand,
  attrs: Omit<Attrs<K>, 'scalar'>,
  dtype?: Dtype,
): PyTensor {
  const operands = [x, y] as const;
  const common = resultType(operands.map((item) => (item instanceof PyTensor ? item : item.kind)));
  const tensors = operands.map((item) => (item instanceof PyTensor ? to(item, common) : null));
  const number = operands.find((item) => !(item instanceof PyTensor));
  const shape = tensors.map((tensor) => tensor?.shape ?? []).reduce((a, b) => broadcast(a, b, op));
  const all = { ...attrs, scalar: number instanceof PyTensor ? 0 : (number?.value ?? 0) };
  return emit(op, tensors, all as unknown as Attrs<K>, shape, dtype ?? common);
}

/** x + alpha · y */
export function add(x: Operand, y: Operand, alpha = 1): PyTensor {
  return binary('add', x, y, { alpha });
}

export function relu(x: PyTensor): PyTensor {
  demandFloat('relu', x);
  return emit('relu', [x], {}, x.shape, x.dtype);
}

/** Checks that an op in place keeps the dtype, as PyTorch does. */
export function demandSameDtype(what: string, x: PyTensor, result: PyTensor): void {
  if (x.dtype === result.dtype) return;
  throw raised('RuntimeError', `${what}: the result is ${result.dtype}, the tensor ${x.dtype}`);
}
