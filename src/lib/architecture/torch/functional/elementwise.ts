/** Functions of single elements, choices and limits, as functions and as methods. */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import { PyList } from '../../python/collections.ts';
import { unsupported } from '../../python/errors.ts';
import type { PyValue } from '../../python/object.ts';
import type { Given } from '../arguments.ts';
import type { Function, Functions, Methods } from '../natives.ts';
import * as ops from '../ops/index.ts';
import { isInteger } from '../promotion.ts';
import type { PyTensor } from '../tensor.ts';
import { bernoulli } from './fill.ts';
import { operand, operandOrNone } from './operands.ts';

function unary(compute: (x: PyTensor) => PyTensor): Function {
  return ['input', (given) => compute(given.tensor('input'))];
}

const clamp: Function = [
  'input, min=None, max=None',
  (given) =>
    ops.clamp(given.tensor('input'), operandOrNone(given, 'min'), operandOrNone(given, 'max')),
];

const absolute = unary((x) => ops.dtypeKeeper('abs', x));
const negative = unary((x) => ops.dtypeKeeper('neg', x));

function round(given: Given): PyTensor {
  const decimals = given.int('decimals');
  if (decimals !== 0) throw unsupported('round to decimals is not supported');
  return ops.dtypeKeeper('round', given.tensor('input'));
}

/** `torch.where(condition)` would be as long as the condition has true elements. */
function where(given: Given): PyTensor {
  if (given.value('input') === null || given.value('other') === null) {
    throw unsupported('where with a condition alone depends on the values of a tensor');
  }
  return ops.where(given.tensor('condition'), operand(given, 'input'), operand(given, 'other'));
}

export const tensor: Functions = {
  ...Object.fromEntries(
    ops.floatFunctions.map((op) => [op, unary((x) => ops.floatFunction(op, x))] as const),
  ),
  ...Object.fromEntries(
    ops.dtypeKeepers.map((op) => [op, unary((x) => ops.dtypeKeeper(op, x))] as const),
  ),
  absolute,
  arccos: unary((x) => ops.floatFunction('acos', x)),
  arcsin: unary((x) => ops.floatFunction('asin', x)),
  arctan: unary((x) => ops.floatFunction('atan', x)),
  clamp,
  clamp_max: [
    'input, max',
    (given) => ops.clamp(given.tensor('input'), null, operand(given, 'max')),
  ],
  clamp_min: [
    'input, min',
    (given) => ops.clamp(given.tensor('input'), operand(given, 'min'), null),
  ],
  clip: clamp,
  detach: unary(ops.detach),
  erfc: unary((x) => ops.sub(ops.number(1), ops.floatFunction('erf', x))),
  exp2: unary((x) => ops.pow(ops.number(2), x)),
  fix: unary((x) => ops.dtypeKeeper('trunc', x)),
  frac: unary((x) => ops.sub(x, ops.dtypeKeeper('trunc', x))),
  isfinite: unary(ops.isFinite),
  isinf: unary((x) => ops.floatTest('isinf', x)),
  isnan: unary((x) => ops.floatTest('isnan', x)),
  logical_not: unary(ops.logicalNot),
  bitwise_not: unary(ops.invert),
  masked_fill: [
    'input, mask, value',
    (given) => ops.maskedFill(given.tensor('input'), given.tensor('mask'), operand(given, 'value')),
  ],
  nan_to_num: [
    'input, nan=None, posinf=None, neginf=None',
    (given) =>
      ops.nanToNum(
        given.tensor('input'),
        given.floatOrNone('nan'),
        given.floatOrNone('posinf'),
        given.floatOrNone('neginf'),
      ),
  ],
  negative,
  positive: unary((x) => x),
  round: ['input, *, decimals=0', round],
};

/** Functions of `torch` whose methods have other arguments. */
export const functions: Functions = {
  bernoulli: [
    'input, *, generator=None',
    (given) => bernoulli(given.tensor('input'), given.tensor('input')),
  ],
  where: ['condition, input=None, other=None', where],
};

/** Those that have a twin in place: `exp_`. */
export const inPlace: readonly string[] = [
  ...ops.floatFunctions,
  ...ops.dtypeKeepers,
  ...'absolute clamp clamp_max clamp_min clip exp2 erfc fix frac logical_not masked_fill nan_to_num negative'.split(
    ' ',
  ),
];

/** Methods only: conversions, and those that give a tensor one value. */
export const methods: Methods = {
  where: [
    'condition, other',
    (self, given) => ops.where(given.tensor('condition'), self, operand(given, 'other')),
  ],
  type_as: ['other', (self, given) => ops.to(self, given.tensor('other').dtype)],
  detach_: [
    '',
    (self) => {
      self.become(ops.detach(self));
      return self;
    },
  ],
  item: ['', (self) => pythonNumber(self.item, self.dtype)],
  tolist: ['', toList],
};

/** A number as Python has it: bool, int or float. */
function pythonNumber(value: number, dtype: Dtype): PyValue {
  if (dtype === 'bool') return value !== 0;
  return isInteger(dtype) ? BigInt(value) : value;
}

/** Nested lists of numbers; of a tensor without axes, the number itself. */
function toList(x: PyTensor): PyValue {
  const value = x.hostValue;
  if (!value) throw unsupported('code that depends on the values of a tensor is not supported');
  x.session.interpreter.allocate(x.numel);
  const build = (axis: number, offset: number): PyValue => {
    const size = x.shape[axis];
    if (size === undefined) return pythonNumber(value.data[offset]!, x.dtype);
    const step = numel(x.shape.slice(axis + 1));
    return new PyList(Array.from({ length: size }, (_, at) => build(axis + 1, offset + at * step)));
  };
  return build(0, 0);
}
