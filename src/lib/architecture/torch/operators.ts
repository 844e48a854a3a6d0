/** `+`, `<`, `-x` and `+=` on tensors. */
import { raised, unsupported } from '../python/errors.ts';
import type { BinaryOperator, Comparison, PyValue } from '../python/object.ts';
import { operandOf } from './functional/operands.ts';
import * as ops from './ops/index.ts';
import { PyTensor } from './tensor.ts';

type Compute = (x: ops.Operand, y: ops.Operand) => PyTensor;

const arithmetic: Partial<Record<BinaryOperator, Compute>> = {
  '%': (x, y) => ops.remainder('remainder', x, y),
  '&': (x, y) => ops.bitwise('logical_and', x, y),
  '*': ops.mul,
  '**': ops.pow,
  '+': (x, y) => ops.add(x, y),
  '-': (x, y) => ops.sub(x, y),
  '/': (x, y) => ops.div(x, y),
  '//': (x, y) => ops.div(x, y, 'floor'),
  '^': (x, y) => ops.bitwise('logical_xor', x, y),
  '|': (x, y) => ops.bitwise('logical_or', x, y),
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

export function unaryOperator(operator: '-' | '+' | '~', tensor: PyTensor): PyValue {
  switch (operator) {
    case '-':
      return ops.dtypeKeeper('neg', tensor);
    case '~':
      return ops.invert(tensor);
    case '+':
      if (tensor.dtype !== 'bool') return tensor;
      throw raised('RuntimeError', '"+" of a bool tensor is not defined');
    default:
      return operator satisfies never;
  }
}

const comparisons = {
  '!=': 'ne',
  '<': 'lt',
  '<=': 'le',
  '==': 'eq',
  '>': 'gt',
  '>=': 'ge',
} as const;

/** Elements compared; undefined (NotImplemented) where the other is neither a tensor nor a number. */
export function comparison(
  operator: Comparison,
  tensor: PyTensor,
  other: PyValue,
): PyValue | undefined {
  const operand = operandOf(other);
  return operand && ops.compare(comparisons[operator], tensor, operand);
}
