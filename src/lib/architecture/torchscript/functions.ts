/** What TorchScript's code calls that is no operator on tensors: numbers, lists, texts, and facts. */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { getAttribute } from '../python/attributes.ts';
import { PyList, PyTuple } from '../python/collections.ts';
import { raised, unsupported } from '../python/errors.ts';
import { call } from '../python/functions.ts';
import { toFloat, isNumeric } from '../python/numbers.ts';
import {
  noArguments,
  typeName,
  type BinaryOperator,
  type Comparison,
  type PyValue,
} from '../python/object.ts';
import {
  binary,
  compare,
  contains,
  getItem,
  isIdentical,
  length,
  setItem,
  str,
  truth,
  unary,
} from '../python/operators.ts';
import type { Interpreter } from '../python/interpreter.ts';
import { PyDevice } from '../torch/dtypes.ts';
import { hostTensor } from '../torch/emit.ts';
import { isInteger } from '../torch/promotion.ts';
import { normalizeDim } from '../torch/shapes.ts';
import { PyTensor, type TensorOwner } from '../torch/tensor.ts';
import { listFunctions } from './lists.ts';

/** c10's numbers for dtypes (c10/core/ScalarType.h). */
export const dtypeByCode: ReadonlyMap<bigint, Dtype> = new Map([
  [0n, 'uint8'],
  [1n, 'int8'],
  [2n, 'int16'],
  [3n, 'int32'],
  [4n, 'int64'],
  [5n, 'float16'],
  [6n, 'float32'],
  [7n, 'float64'],
  [11n, 'bool'],
  [15n, 'bfloat16'],
]);

const codes = new Map([...dtypeByCode].map(([code, dtype]) => [dtype, code]));

/** A function of the code; undefined where it is an operator on tensors after all. */
export type ScriptFunction = (args: PyValue[], interpreter: Interpreter) => PyValue | undefined;

const operators: Readonly<Record<string, BinaryOperator>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  floordiv: '//',
  remainder: '%',
  pow: '**',
  __and__: '&',
  __or__: '|',
  __xor__: '^',
  __lshift__: '<<',
  __rshift__: '>>',
};
const comparisons: Readonly<Record<string, Comparison>> = {
  eq: '==',
  ne: '!=',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
};
const ofNumbers: Readonly<Record<string, (x: number) => PyValue>> = {
  sqrt: Math.sqrt,
  exp: Math.exp,
  log: Math.log,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  floor: (x) => BigInt(Math.floor(x)),
  ceil: (x) => BigInt(Math.ceil(x)),
};

/** A list and a tuple of sizes are both lists to TorchScript. */
const asList = (value: PyValue): PyValue =>
  value instanceof PyTuple ? new PyList(value.items) : value;

const hasTensor = (args: readonly PyValue[]): boolean =>
  args.some((item) => item instanceof PyTensor);

/** The first argument, where it is a tensor. */
function tensorOf([value]: readonly PyValue[], what: string): PyTensor {
  if (value instanceof PyTensor) return value;
  throw raised('TypeError', `${what}: a tensor is needed, not ${typeName(value ?? null)}`);
}

/** Functions of `torch` that are not tensors' alone. */
export const torchFunctions: ReadonlyMap<string, ScriptFunction> = new Map<string, ScriptFunction>([
  ...listFunctions,
  ...Object.entries(operators).map(([name, operator]): [string, ScriptFunction] => [
    name,
    (args, interpreter) => {
      if (hasTensor(args)) return undefined;
      const [left, right] = args.map(asList);
      return binary(interpreter, operator, left!, right!);
    },
  ]),
  ...Object.entries(comparisons).map(([name, operator]): [string, ScriptFunction] => [
    name,
    (args, interpreter) => {
      if (hasTensor(args)) return undefined;
      const [left, right] = args.map(asList);
      return compare(interpreter, operator, left!, right!);
    },
  ]),
  ...Object.entries(ofNumbers).map(([name, compute]): [string, ScriptFunction] => [
    name,
    ([value]) => (isNumeric(value!) ? compute(toFloat(value)) : undefined),
  ]),
  [
    'neg',
    ([value], interpreter) =>
      value instanceof PyTensor ? undefined : unary(interpreter, '-', value!),
  ],
  ['__is__', ([a, b]) => isIdentical(a!, b!)],
  ['__isnot__', ([a, b]) => !isIdentical(a!, b!)],
  ['__not__', ([value], interpreter) => !truth(interpreter, value!)],
  ['__contains__', ([container, value], interpreter) => contains(interpreter, container!, value!)],
  ['__getitem__', ([container, key], interpreter) => getItem(interpreter, container!, key!)],
  [
    '_set_item',
    ([container, key, value], interpreter) => {
      setItem(interpreter, container!, key!, value!);
      return container!;
    },
  ],
  ['len', ([value], interpreter) => BigInt(length(interpreter, value!))],
  ['dim', (args) => BigInt(tensorOf(args, 'dim').shape.length)],
  ['numel', (args) => BigInt(tensorOf(args, 'numel').numel)],
  [
    'size',
    (args) => {
      const { shape } = tensorOf(args, 'size');
      const dim = args[1];
      if (dim === undefined) return new PyList(shape.map(BigInt));
      if (typeof dim !== 'bigint') throw raised('TypeError', 'size: dim must be an int');
      return BigInt(shape[normalizeDim(Number(dim), shape.length, 'size')]!);
    },
  ],
  ['is_floating_point', (args) => !isInteger(tensorOf(args, 'is_floating_point').dtype)],
  ['is_grad_enabled', () => true],
  ['is_autocast_enabled', () => false],
  ['is_autocast_cpu_enabled', () => false],
  ['is_scripting', () => true],
  ['warn', () => null],
  ['device', ([name]) => new PyDevice(typeof name === 'string' ? name : 'cpu')],
  [
    'item',
    (args) => {
      const tensor = tensorOf(args, 'item');
      return isInteger(tensor.dtype) ? BigInt(Math.trunc(tensor.item)) : tensor.item;
    },
  ],
  [
    'format',
    ([format, ...args], interpreter) => {
      // Messages are made before it is known whether anyone sees them; tensors have no text here.
      const shown = args.map((value) => (value instanceof PyTensor ? 'a tensor' : value));
      return call(interpreter, getAttribute(interpreter, format!, 'format'), {
        ...noArguments,
        positional: shown,
      });
    },
  ],
  [
    'str',
    ([value], interpreter) => (value instanceof PyTensor ? 'a tensor' : str(interpreter, value!)),
  ],
  [
    'find',
    ([text, part, start, end]) => {
      if (typeof text !== 'string' || typeof part !== 'string') return undefined;
      const from = typeof start === 'bigint' ? Number(start) : 0;
      const to = typeof end === 'bigint' && end >= 0n ? Number(end) : text.length;
      const at = text.slice(0, to).indexOf(part, from);
      return BigInt(at);
    },
  ],
  [
    '__range_length',
    ([low, high, step]) => {
      const [a, b, c] = [low, high, step] as bigint[];
      if (c === 0n) throw raised('ValueError', 'range() with a step of 0');
      const count = c! > 0n ? (b! - a! + c! - 1n) / c! : (a! - b! - c! - 1n) / -c!;
      return count > 0n ? count : 0n;
    },
  ],
  [
    '__derive_index',
    ([index, start, step]) => (start as bigint) + (index as bigint) * (step as bigint),
  ],
]);

/** `ops.prim.…` */
export function primFunctions(owner: TensorOwner): ReadonlyMap<string, ScriptFunction> {
  const fact =
    (value: boolean): ScriptFunction =>
    () =>
      value;
  const extreme =
    (operator: '<' | '>'): ScriptFunction =>
    (args, interpreter) => {
      const items = args[0] instanceof PyList ? args[0].items : args;
      if (hasTensor(items)) throw unsupported('the smaller or larger of tensors');
      if (items.length === 0) throw raised('ValueError', 'the list is empty');
      return items.reduce((a, b) =>
        truth(interpreter, compare(interpreter, operator, b, a)) ? b : a,
      );
    };
  return new Map<string, ScriptFunction>([
    ['dtype', (args) => codes.get(tensorOf(args, 'dtype').dtype) ?? -1n],
    ['device', () => new PyDevice('cpu')],
    ['type', ([value]) => (value instanceof PyDevice ? 'cpu' : undefined)],
    ['layout', () => 0n],
    // The graph is made as if gradients were wanted; that keeps the code off inference-only kernels.
    ['requires_grad', fact(true)],
    ['is_cuda', fact(false)],
    ['is_mps', fact(false)],
    ['is_nested', fact(false)],
    ['is_sparse', fact(false)],
    ['is_quantized', fact(false)],
    ['is_mkldnn', fact(false)],
    ['ndim', (args) => BigInt(tensorOf(args, 'ndim').shape.length)],
    ['shape', (args) => new PyList(tensorOf(args, 'shape').shape.map(BigInt))],
    ['data', (args) => tensorOf(args, 'data')],
    ['min', extreme('<')],
    ['max', extreme('>')],
    [
      'abs',
      ([value], interpreter) =>
        truth(interpreter, compare(interpreter, '<', value!, 0n))
          ? unary(interpreter, '-', value!)
          : value!,
    ],
    [
      'NumToTensor',
      ([value]) => {
        if (!isNumeric(value!)) throw raised('TypeError', 'NumToTensor: a number is needed');
        const dtype = ({ boolean: 'bool', bigint: 'int64', number: 'float32' } as const)[
          typeof value as 'boolean' | 'bigint' | 'number'
        ];
        const number = toFloat(value);
        return hostTensor(owner, 'NumToTensor', [], dtype, () => Float64Array.of(number));
      },
    ],
    ['unchecked_unwrap_optional', ([value]) => value!],
    [
      'RaiseException',
      ([message, type], interpreter) => {
        const name = typeof type === 'string' ? type.replace(/^.*\./, '') : 'Exception';
        throw raised(name, str(interpreter, message!));
      },
    ],
  ]);
}
