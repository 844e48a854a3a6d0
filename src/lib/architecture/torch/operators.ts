/** `+`, `<`, `-x` and `+=` on tensors. */
import { unsupported } from '../python/errors.ts';
import type { BinaryOperator, Comparison, PyValue } from '../python/object.ts';
import { operandOf } from './functional/elementwise.ts';
import * as ops from './ops/index.ts';
import { PyTensor } from './tensor.ts';

type Compute = (x: ops.Operand, y: ops.Operand) => PyTensor;

const arithmetic: Partial<Record<BinaryOperator, Compute>> = {
  '+': (x, y) => ops.add(x, y),
};

/** The result, or undefined (NotImplemented) where the other is neither a tensor nor a number. */
export function binaryOperator(
  operator: BinaryOperator,
  tensor: PyTensor,
  other: PyValue,
  reflected: boolean,
): PyValue | undefined {
  if (operator === '@') {
    if (!(other instanceof PyTensor)) return undefined;
    return reflected ? ops.matmul(other, tensor) : ops.matmul(tensor, other);
  }
  const operand = operandOf(other);
  if (!operand) return undefined;
  const compute = arithmetic[operator];
  if (!compute) throw unsupported(`"${operator}" on a tensor is not supported`);
  return reflected ? compute(operand, tensor) : compute(tensor, operand);
}

export function inplaceOperator(
  operator: BinaryOperator,
  tensor: PyTensor,
  other: PyValue,
): PyValue | undefined {
  const result = binaryOperator(operator, tensor, other, false) as PyTensor | undefined;
  if (result) tensor.become(result);
  return result && tensor;
}

export function unaryOperator(operator: '-' | '+' | '~', _: PyTensor): PyValue {
  throw unsupported(`"${operator}" of a tensor is not supported`);
}

export function comparison(operator: Comparison, _: PyTensor, other: PyValue): PyValue | undefined {
  if (!operandOf(other)) return undefined;
  throw unsupported(`"${operator}" of a tensor is not supported`);
}
