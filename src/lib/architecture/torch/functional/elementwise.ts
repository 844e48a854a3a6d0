/** Arithmetic and activations, as functions and as methods. */
import { raised } from '../../python/errors.ts';
import { isNumeric, toFloat } from '../../python/numbers.ts';
import type { PyValue } from '../../python/object.ts';
import { maybeInPlace, type Functions, type Methods } from '../natives.ts';
import * as ops from '../ops/index.ts';
import { PyTensor } from '../tensor.ts';

/** A Python value as an operand of arithmetic; undefined where it is none. */
export function operandOf(value: PyValue): ops.Operand | undefined {
  if (value instanceof PyTensor) return value;
  if (!isNumeric(value)) return undefined;
  const kind = { boolean: 'bool', bigint: 'int', number: 'float' } as const;
  return { kind: kind[typeof value as keyof typeof kind], value: toFloat(value) };
}

export function demandOperand(value: PyValue, what: string): ops.Operand {
  const operand = operandOf(value);
  if (operand) return operand;
  throw raised('TypeError', `${what}: a tensor or a number is needed`);
}

export const functional: Functions = {
  relu: [
    'input, inplace=False',
    (given) => maybeInPlace(given, given.tensor('input'), ops.relu(given.tensor('input'))),
  ],
  relu_: [
    'input',
    (given) => {
      const x = given.tensor('input');
      x.become(ops.relu(x));
      return x;
    },
  ],
};

export const tensor: Functions = {
  relu: ['input', (given) => ops.relu(given.tensor('input'))],
  relu_: functional.relu_!,
  add: [
    'input, other, *, alpha=1',
    (given) =>
      ops.add(
        given.tensor('input'),
        demandOperand(given.value('other'), 'add'),
        given.float('alpha'),
      ),
  ],
};

/** Methods only: those that change the tensor. */
export const methods: Methods = {
  add_: [
    'other, *, alpha=1',
    (self, given) => {
      self.become(ops.add(self, demandOperand(given.value('other'), 'add_'), given.float('alpha')));
      return self;
    },
  ],
};
