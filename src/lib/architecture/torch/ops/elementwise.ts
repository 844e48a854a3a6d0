/** Functions of single elements, choices between elements, and limits. */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import type { UnaryOp } from '../../graph.ts';
import { raised } from '../../python/errors.ts';
import { emit } from '../emit.ts';
import { isInteger, resultType } from '../promotion.ts';
import { broadcast } from '../shapes.ts';
import { PyTensor } from '../tensor.ts';
import { compare, logical, sub, to, type Operand } from './arithmetic.ts';

/** Functions whose result is a float; integers become float32 first. */
export const floatFunctions = [
  'acos',
  'asin',
  'atan',
  'cos',
  'cosh',
  'erf',
  'exp',
  'expm1',
  'log',
  'log10',
  'log1p',
  'log2',
  'reciprocal',
  'rsqrt',
  'sigmoid',
  'sin',
  'sinh',
  'sqrt',
  'tan',
  'tanh',
] as const satisfies readonly UnaryOp[];

/** Functions that keep the dtype; of integers, rounding is none. */
export const dtypeKeepers = [
  'abs',
  'ceil',
  'floor',
  'neg',
  'round',
  'sign',
  'square',
  'trunc',
] as const satisfies readonly UnaryOp[];

const roundings: ReadonlySet<string> = new Set(['ceil', 'floor', 'round', 'trunc']);

export function floatFunction(op: (typeof floatFunctions)[number], x: PyTensor): PyTensor {
  const input = isInteger(x.dtype) ? to(x, 'float32') : x;
  return emit(op, [input], {}, x.shape, input.dtype);
}

export function dtypeKeeper(op: (typeof dtypeKeepers)[number], x: PyTensor): PyTensor {
  if (x.dtype === 'bool') throw raised('RuntimeError', `${op} of a bool tensor is not defined`);
  if (isInteger(x.dtype) && roundings.has(op)) return x;
  return emit(op, [x], {}, x.shape, x.dtype);
}

/** `isnan`, `isinf`: bools. */
export function floatTest(op: 'isnan' | 'isinf', x: PyTensor): PyTensor {
  return emit(op, [isInteger(x.dtype) ? to(x, 'float32') : x], {}, x.shape, 'bool');
}

/** True where the element is 0. */
export function logicalNot(x: PyTensor): PyTensor {
  return emit('logical_not', [to(x, 'bool')], {}, x.shape, 'bool');
}

/** `~x`: of bools "not", of integers −x − 1. */
export function invert(x: PyTensor): PyTensor {
  if (x.dtype === 'bool') return logicalNot(x);
  if (!isInteger(x.dtype)) throw raised('TypeError', `"~" of a ${x.dtype} tensor is not defined`);
  return sub(dtypeKeeper('neg', x), { kind: 'int', value: 1 });
}

/** Neither infinite nor NaN. */
export function isFinite(x: PyTensor): PyTensor {
  return logicalNot(logical('logical_or', floatTest('isnan', x), floatTest('isinf', x)));
}

/** x where the condition holds, y elsewhere, all three broadcast. */
export function where(condition: PyTensor, x: Operand, y: Operand): PyTensor {
  const dtype = resultType([x, y].map((item) => (item instanceof PyTensor ? item : item.kind)));
  return choose('where', condition, x, y, dtype);
}

function choose(what: string, condition: PyTensor, x: Operand, y: Operand, dtype: Dtype): PyTensor {
  if (condition.dtype !== 'bool' && condition.dtype !== 'uint8') {
    throw raised('RuntimeError', `${what}: the condition must be bool, not ${condition.dtype}`);
  }
  const [left, right] = [x, y].map((item) => (item instanceof PyTensor ? to(item, dtype) : null));
  const shape = [left, right].reduce(
    (sum, tensor) => broadcast(sum, tensor?.shape ?? [], what),
    condition.shape as number[],
  );
  const attrs = {
    x: x instanceof PyTensor ? 0 : x.value,
    y: y instanceof PyTensor ? 0 : y.value,
  };
  return emit('where', [to(condition, 'bool'), left!, right!], attrs, shape, dtype);
}

/** x with `value` where the mask holds; the dtype stays. */
export function maskedFill(x: PyTensor, mask: PyTensor, value: Operand): PyTensor {
  if (value instanceof PyTensor && value.shape.length > 0) {
    throw raised(
      'RuntimeError',
      `masked_fill: the value has ${value.shape.length} dimensions, not 0`,
    );
  }
  const kind = resultType([x, value instanceof PyTensor ? value : value.kind]);
  if (isInteger(x.dtype) && !isInteger(kind)) {
    throw raised('RuntimeError', `masked_fill: a float does not fit into ${x.dtype}`);
  }
  return choose('masked_fill', mask, value, x, x.dtype);
}

/** x within limits; where a limit is reached, the gradient still is x's. */
export function clamp(x: PyTensor, min: Operand | null, max: Operand | null): PyTensor {
  if (min === null && max === null) {
    throw raised('RuntimeError', 'clamp: at least one of min and max is needed');
  }
  if (min instanceof PyTensor || max instanceof PyTensor) return clampByTensors(x, min, max);
  const kinds = [min, max].flatMap((limit) => (limit ? [limit.kind] : []));
  const dtype = resultType([x, ...kinds]);
  const attrs = { min: min?.value ?? null, max: max?.value ?? null };
  return emit('clamp', [to(x, dtype)], attrs, x.shape, dtype);
}

/** Limits that are tensors: the lower one first, so that where they cross the upper one holds. */
function clampByTensors(x: PyTensor, min: Operand | null, max: Operand | null): PyTensor {
  let result = x;
  if (min) result = where(compare('ge', result, min), result, min);
  if (max) result = where(compare('le', result, max), result, max);
  return result;
}

/** NaN and the infinities replaced; null is the largest or smallest number of the dtype. */
export function nanToNum(
  x: PyTensor,
  nan: number | null,
  posinf: number | null,
  neginf: number | null,
): PyTensor {
  if (isInteger(x.dtype)) return x;
  const attrs = { nan: nan ?? 0, posinf: posinf ?? largestFloat, neginf: neginf ?? -largestFloat };
  return emit('nan_to_num', [x], attrs, x.shape, x.dtype);
}
/** The largest float32. */
const largestFloat = (2 - 2 ** -23) * 2 ** 127;

/** The same numbers without a gradient, as a view. */
export function detach(x: PyTensor): PyTensor {
  return emit('detach', [x], {}, x.shape, x.dtype, { memory: x.memory });
}
