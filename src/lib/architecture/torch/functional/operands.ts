/** Python values as operands of arithmetic. */
import { raised } from '../../python/errors.ts';
import { isNumeric, toFloat } from '../../python/numbers.ts';
import type { PyValue } from '../../python/object.ts';
import type { Given } from '../arguments.ts';
import type { Operand } from '../ops/index.ts';
import { PyTensor } from '../tensor.ts';

/** A Python value as an operand of arithmetic; undefined where it is none. */
export function operandOf(value: PyValue): Operand | undefined {
  if (value instanceof PyTensor) return value;
  if (!isNumeric(value)) return undefined;
  const kind = { boolean: 'bool', bigint: 'int', number: 'float' } as const;
  return { kind: kind[typeof value as keyof typeof kind], value: toFloat(value) };
}

export function demandOperand(value: PyValue, what: string): Operand {
  const operand = operandOf(value);
  if (operand) return operand;
  throw raised('TypeError', `${what}: a tensor or a number is needed`);
}

/** An argument that is a tensor or a number. */
export function operand(given: Given, name: string): Operand {
  return demandOperand(given.value(name), name);
}

export function operandOrNone(given: Given, name: string): Operand | null {
  return given.value(name) === null ? null : operand(given, name);
}
