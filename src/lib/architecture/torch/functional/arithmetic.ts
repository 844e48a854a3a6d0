/** Two operands: arithmetic, comparisons and logic, as functions and as methods. */
import { raised } from '../../python/errors.ts';
import type { Given } from '../arguments.ts';
import type { Function, Functions } from '../natives.ts';
import * as ops from '../ops/index.ts';
import { PyTensor } from '../tensor.ts';
import { operand } from './operands.ts';

type Compute = (x: ops.Operand, y: ops.Operand) => PyTensor;

function pair(compute: Compute): Function {
  return ['input, other', (given) => compute(given.tensor('input'), operand(given, 'other'))];
}

const withAlpha = (compute: typeof ops.add): Function => [
  'input, other, *, alpha=1',
  (given) => compute(given.tensor('input'), operand(given, 'other'), given.float('alpha')),
];

function rounding(given: Given): 'floor' | 'trunc' | null {
  if (given.value('rounding_mode') === null) return null;
  return given.word('rounding_mode', ['floor', 'trunc'] as const);
}

const division: Function = [
  'input, other, *, rounding_mode=None',
  (given) => ops.div(given.tensor('input'), operand(given, 'other'), rounding(given)),
];

const power: Function = [
  'input, exponent',
  (given) => {
    const [base, exponent] = [operand(given, 'input'), operand(given, 'exponent')];
    if (base instanceof PyTensor || exponent instanceof PyTensor) return ops.pow(base, exponent);
    throw raised('TypeError', 'pow: a tensor is needed');
  },
];

const comparisons = (['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const).map(
  (op) => [op, pair((x, y) => ops.compare(op, x, y))] as const,
);
const longNames = [
  ['greater', 'gt'],
  ['greater_equal', 'ge'],
  ['less', 'lt'],
  ['less_equal', 'le'],
  ['not_equal', 'ne'],
] as const;
const logic = (['logical_and', 'logical_or', 'logical_xor'] as const).flatMap((op) => [
  [op, pair((x, y) => ops.logical(op, x, y))] as const,
  [op.replace('logical', 'bitwise'), pair((x, y) => ops.bitwise(op, x, y))] as const,
]);

/** input + value · tensor1 ∘ tensor2 */
const fused = (compute: Compute): Function => [
  'input, tensor1, tensor2, *, value=1',
  (given) => {
    const product = compute(given.tensor('tensor1'), given.tensor('tensor2'));
    return ops.add(given.tensor('input'), product, given.float('value'));
  },
];

export const tensor: Functions = {
  ...Object.fromEntries(comparisons),
  ...Object.fromEntries(logic),
  ...Object.fromEntries(
    longNames.map(([name, op]) => [name, pair((x, y) => ops.compare(op, x, y))] as const),
  ),
  add: withAlpha(ops.add),
  addcdiv: fused((x, y) => ops.div(x, y)),
  addcmul: fused(ops.mul),
  arctan2: pair(ops.atan2),
  atan2: pair(ops.atan2),
  div: division,
  divide: division,
  floor_divide: pair((x, y) => ops.div(x, y, 'floor')),
  fmod: pair((x, y) => ops.remainder('fmod', x, y)),
  lerp: [
    'input, end, weight',
    (given) => {
      const [start, end] = [given.tensor('input'), given.tensor('end')];
      return ops.add(start, ops.mul(ops.sub(end, start), operand(given, 'weight')));
    },
  ],
  maximum: pair((x, y) => ops.extremum('maximum', x, y)),
  minimum: pair((x, y) => ops.extremum('minimum', x, y)),
  mul: pair(ops.mul),
  multiply: pair(ops.mul),
  pow: power,
  remainder: pair((x, y) => ops.remainder('remainder', x, y)),
  rsub: [
    'input, other, *, alpha=1',
    (given) => ops.sub(operand(given, 'other'), given.tensor('input'), given.float('alpha')),
  ],
  sub: withAlpha(ops.sub),
  subtract: withAlpha(ops.sub),
  true_divide: pair((x, y) => ops.div(x, y)),
};

/** Those that have a twin in place: `add_`. */
export const inPlace: readonly string[] = [
  ...comparisons.map(([name]) => name),
  ...logic.map(([name]) => name),
  ...'add addcdiv addcmul div divide floor_divide fmod lerp mul multiply pow remainder sub subtract true_divide'.split(
    ' ',
  ),
];
