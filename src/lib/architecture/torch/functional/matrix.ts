/** Matrix products, as functions and as methods. */
import { PyList, PyTuple } from '../../python/collections.ts';
import { raised, unsupported } from '../../python/errors.ts';
import type { Given } from '../arguments.ts';
import type { Function, Functions, Methods } from '../natives.ts';
import * as ops from '../ops/index.ts';
import { PyTensor } from '../tensor.ts';
import { collected, tensorsOf } from './shape.ts';

/** A product of tensors of fixed ranks; `names` are PyTorch's words for them. */
function product(
  what: string,
  ranks: readonly [number, number],
  names: readonly [string, string],
): Function {
  return [
    names.join(', '),
    (given) => ops.matmulOf(what, given.tensor(names[0]), given.tensor(names[1]), ranks),
  ];
}

/** beta · input + alpha · product, the factors under PyTorch's names. */
function withSum(
  what: string,
  ranks: readonly [number, number],
  names: readonly [string, string],
): Function {
  return [
    `input, ${names.join(', ')}, *, beta=1, alpha=1`,
    (given) => {
      const [a, b] = names.map((name) => given.tensor(name)) as [PyTensor, PyTensor];
      const result = ops.matmulOf(what, a, b, ranks);
      const factors = { beta: given.float('beta'), alpha: given.float('alpha') };
      return ops.addProduct(given.tensor('input'), result, factors);
    },
  ];
}

/** Functions of `torch` that are methods, too. */
export const tensor: Functions = {
  matmul: ['input, other', (given) => ops.matmul(given.tensor('input'), given.tensor('other'))],
  mm: product('mm', [2, 2], ['input', 'mat2']),
  bmm: product('bmm', [3, 3], ['input', 'mat2']),
  mv: product('mv', [2, 1], ['input', 'vec']),
  dot: product('dot', [1, 1], ['input', 'tensor']),
  vdot: product('vdot', [1, 1], ['input', 'other']),
  addmm: withSum('addmm', [2, 2], ['mat1', 'mat2']),
  addmv: withSum('addmv', [2, 1], ['mat', 'vec']),
  baddbmm: withSum('baddbmm', [3, 3], ['batch1', 'batch2']),
  outer: ['input, vec2', (given) => ops.outer(given.tensor('input'), given.tensor('vec2'))],
  ger: ['input, vec2', (given) => ops.outer(given.tensor('input'), given.tensor('vec2'))],
  inner: ['input, other', (given) => ops.inner(given.tensor('input'), given.tensor('other'))],
};

/** Functions of `torch` alone. */
export const functions: Functions = {
  einsum: [
    'equation, *operands',
    (given, rest) => {
      const equation = given.value('equation');
      if (typeof equation !== 'string') {
        throw unsupported('einsum with sublists is not supported: write the equation as a string');
      }
      const operands = rest.length === 1 ? collected(rest[0]!) : rest;
      return ops.einsum(equation, tensorsOf('einsum', operands));
    },
  ],
  tensordot: [
    'a, b, dims=2',
    (given) => {
      const [a, b] = [given.tensor('a'), given.tensor('b')];
      return ops.tensordot(a, b, ...contracted(given, a, b));
    },
  ],
  chain_matmul: [
    '*matrices',
    (_, rest) =>
      tensorsOf('chain_matmul', rest).reduce((a, b) => ops.matmulOf('chain_matmul', a, b, [2, 2])),
  ],
};

/** `dims=2`: the last of a and the first of b; or a list for each. */
function contracted(given: Given, a: PyTensor, b: PyTensor): [number[], number[]] {
  const dims = given.value('dims');
  if (dims instanceof PyList || dims instanceof PyTuple) {
    const lists = dims.items.map((item) => given.with('dims', item).ints('dims'));
    if (lists.length === 2) return [lists[0]!, lists[1]!];
    throw raised('RuntimeError', 'tensordot: dims must be a number or two lists');
  }
  const count = given.size('dims');
  const most = Math.min(a.shape.length, b.shape.length);
  if (count > most) {
    throw raised('RuntimeError', `tensordot: dims is ${count}, the tensors have ${most} in common`);
  }
  const places = Array.from({ length: count }, (_, at) => at);
  return [places.map((at) => a.shape.length - count + at), places];
}

export const functional: Functions = {
  linear: [
    'input, weight, bias=None',
    (given) =>
      ops.linear(given.tensor('input'), given.tensor('weight'), given.tensorOrNone('bias')),
  ],
  bilinear: [
    'input1, input2, weight, bias=None',
    (given) =>
      ops.bilinear(
        given.tensor('input1'),
        given.tensor('input2'),
        given.tensor('weight'),
        given.tensorOrNone('bias'),
      ),
  ],
};

export const methods: Methods = {
  __matmul__: ['other', (self, given) => ops.matmul(self, given.tensor('other'))],
};
