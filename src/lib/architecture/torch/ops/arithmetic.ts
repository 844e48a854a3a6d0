/**
 * Two operands and one result, element by element: arithmetic, comparisons, logic. Operands are
 * tensors or Python numbers, at least one of them a tensor; both are brought to their common dtype.
 * int64 is computed in 32 bits by a backend, and WebGPU rounds it beyond 2²⁴; on the host it is
 * exact up to 2⁵³.
 */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import type { BinaryOp, Ops } from '../../graph.ts';
import { raised, unsupported } from '../../python/errors.ts';
import { emit, type Attrs } from '../emit.ts';
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

/** The Python float of that value. */
export function number(value: number): PyNumber {
  return { kind: 'float', value };
}

/** Integers that are narrower than a backend's: what they wrap around to would be lost. */
const narrow: ReadonlySet<Dtype> = new Set<Dtype>(['uint8', 'int8', 'int16']);

/** In forward, on numbers that are not the source's own. */
function isComputedLater(tensor: PyTensor): boolean {
  return tensor.session.tracer !== null && tensor.hostValue === null;
}

/** The numbers as another dtype; the tensor itself where it has that one. */
export function to(x: PyTensor, dtype: Dtype): PyTensor {
  if (x.dtype === dtype) return x;
  if (narrow.has(dtype) && x.dtype !== 'bool' && isComputedLater(x)) {
    throw unsupported(`a conversion from ${x.dtype} to ${dtype} in forward is not supported`);
  }
  return emit('to', [x], {}, x.shape, dtype);
}

type ScalarOp = {
  [K in keyof Ops]: Ops[K]['attrs'] extends { scalar: number } ? K : never;
}[keyof Ops];
type ElementwiseScalarOp = Extract<ScalarOp, BinaryOp | 'add' | 'sub' | 'div'>;

export function commonDtype(x: Operand, y: Operand): Dtype {
  return resultType([x, y].map((item) => (item instanceof PyTensor ? item : item.kind)));
}

/**
 * x ∘ y with broadcasting. Both are brought to `common`, which is the result's dtype unless `dtype`
 * says otherwise.
 */
export function binary<K extends ElementwiseScalarOp>(
  op: K,
  x: Operand,
  y: Operand,
  attrs: Omit<Attrs<K>, 'scalar'>,
  common: Dtype = commonDtype(x, y),
  dtype: Dtype = common,
): PyTensor {
  const operands = [x, y] as const;
  const tensors = operands.map((item) => (item instanceof PyTensor ? to(item, common) : null));
  if (narrow.has(dtype) && tensors.some((tensor) => tensor && isComputedLater(tensor))) {
    throw unsupported(`${op} of ${dtype} in forward is not supported`);
  }
  const scalar = operands.find((item) => !(item instanceof PyTensor));
  const shape = tensors.map((tensor) => tensor?.shape ?? []).reduce((a, b) => broadcast(a, b, op));
  const all = { ...attrs, scalar: scalar instanceof PyTensor ? 0 : (scalar?.value ?? 0) };
  return emit(op, tensors, all as unknown as Attrs<K>, shape, dtype);
}

/** x + alpha · y; of bools, "or". */
export function add(x: Operand, y: Operand, alpha = 1): PyTensor {
  const common = commonDtype(x, y);
  if (common === 'bool' && alpha === 1) return binary('logical_or', x, y, {}, common);
  demandAlpha('add', common, alpha);
  return binary('add', x, y, { alpha }, common);
}

/** x − alpha · y */
export function sub(x: Operand, y: Operand, alpha = 1): PyTensor {
  const common = commonDtype(x, y);
  if (common === 'bool') {
    throw raised('RuntimeError', 'subtraction of two bool tensors: use "^" or logical_xor');
  }
  demandAlpha('sub', common, alpha);
  return binary('sub', x, y, { alpha }, common);
}

function demandAlpha(what: string, common: Dtype, alpha: number): void {
  if (Number.isInteger(alpha) || !isInteger(common)) return;
  throw raised(
    'RuntimeError',
    `${what}: alpha of integer tensors must be an integer, not ${alpha}`,
  );
}

/** x · y; of bools, "and". */
export function mul(x: Operand, y: Operand): PyTensor {
  const common = commonDtype(x, y);
  if (common === 'bool') return binary('logical_and', x, y, {}, common);
  return binary('mul', x, y, {}, common);
}

/** x / y. Without a rounding mode, integers become float32 first. */
export function div(x: Operand, y: Operand, rounding: 'floor' | 'trunc' | null = null): PyTensor {
  const common = commonDtype(x, y);
  const dtype = rounding === null && isInteger(common) ? 'float32' : common;
  return binary('div', x, y, { rounding_mode: rounding }, dtype);
}

/** x to the power of y. */
export function pow(x: Operand, y: Operand): PyTensor {
  const common = commonDtype(x, y);
  if (isInteger(common) && !(y instanceof PyTensor) && y.value < 0) {
    throw raised('RuntimeError', 'integers to negative integer powers are not allowed');
  }
  return binary('pow', x, y, {}, common);
}

/** The rest of a division: `remainder` has the sign of y, `fmod` that of x. */
export function remainder(op: 'remainder' | 'fmod', x: Operand, y: Operand): PyTensor {
  return binary(op, x, y, {});
}

/** The larger or smaller; where both are equal, each gets half of the gradient. */
export function extremum(op: 'maximum' | 'minimum', x: Operand, y: Operand): PyTensor {
  return binary(op, x, y, {});
}

export function atan2(x: Operand, y: Operand): PyTensor {
  const common = commonDtype(x, y);
  return binary('atan2', x, y, {}, isInteger(common) ? 'float32' : common);
}

/** A comparison of numbers of one dtype; the result is bool. */
export function compare(
  op: 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge',
  x: Operand,
  y: Operand,
): PyTensor {
  return binary(op, x, y, {}, commonDtype(x, y), 'bool');
}

/** Logic on what is not 0; the result is bool. */
export function logical(
  op: 'logical_and' | 'logical_or' | 'logical_xor',
  x: Operand,
  y: Operand,
): PyTensor {
  return binary(op, truth(x), truth(y), {}, 'bool');
}

function truth(x: Operand): Operand {
  if (x instanceof PyTensor) return to(x, 'bool');
  return { kind: 'bool', value: x.value !== 0 ? 1 : 0 };
}

/** `&`, `|`, `^`: of bools, logic. */
export function bitwise(
  op: 'logical_and' | 'logical_or' | 'logical_xor',
  x: Operand,
  y: Operand,
): PyTensor {
  const common = commonDtype(x, y);
  if (common !== 'bool') throw unsupported(`bitwise logic of ${common} is not supported`);
  return binary(op, x, y, {}, common);
}
