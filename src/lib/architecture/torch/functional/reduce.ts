/** Reductions, as functions and as methods. */
import { PyTuple } from '../../python/collections.ts';
import { raised, unsupported } from '../../python/errors.ts';
import type { PyValue } from '../../python/object.ts';
import type { Given } from '../arguments.ts';
import { NamedResult } from '../named_result.ts';
import type { Function, Functions } from '../natives.ts';
import * as ops from '../ops/index.ts';
import { PyTensor } from '../tensor.ts';
import { operand } from './operands.ts';

/** A dim that may be None. */
export function optionalDim(given: Given): number | null {
  return given.value('dim') === null ? null : given.int('dim');
}

/** `dim`, or `axis` as NumPy has it: an int, several, or None. */
function dims(given: Given): ops.Dims {
  const name = given.value('dim') === null && given.value('axis') !== null ? 'axis' : 'dim';
  return given.value(name) === null ? null : given.ints(name);
}

function oneDim(given: Given): number | null {
  const all = dims(given);
  if (all === null || all.length === 1) return all?.[0] ?? null;
  throw raised('TypeError', `dim must be an int, not ${all.length} of them`);
}

const axes = 'input, dim=None, keepdim=False, *, axis=None, dtype=None';

const accumulating = (compute: typeof ops.sum): Function => [
  axes,
  (given) =>
    compute(given.tensor('input'), dims(given), given.bool('keepdim'), given.dtypeOrNone('dtype')),
];

const reducing = (
  compute: (x: PyTensor, dims: ops.Dims, keepdim: boolean) => PyTensor,
): Function => [
  'input, dim=None, keepdim=False, *, axis=None',
  (given) => compute(given.tensor('input'), dims(given), given.bool('keepdim')),
];

const indexing = (op: 'argmax' | 'argmin'): Function => [
  'input, dim=None, keepdim=False, *, axis=None',
  (given) => ops.extremeIndex(op, given.tensor('input'), oneDim(given), given.bool('keepdim')),
];

const named = (results: readonly PyTensor[]): PyTuple =>
  new NamedResult(['values', 'indices'], results);

/** Of the whole tensor, along an axis with indices, or of two tensors. */
function extreme(op: 'max' | 'min', given: Given): PyValue {
  const x = given.tensor('input');
  const second = given.value('other') === null ? 'dim' : 'other';
  if (given.value(second) instanceof PyTensor) {
    return ops.extremum(op === 'max' ? 'maximum' : 'minimum', x, operand(given, second));
  }
  const dim = oneDim(given);
  if (dim === null) return ops.extreme(op === 'max' ? 'amax' : 'amin', x, null, false);
  return named(ops.extremes(op, x, dim, given.bool('keepdim')));
}

const extremes = (op: 'max' | 'min'): Function => [
  'input, dim=None, keepdim=False, *, axis=None, other=None',
  (given) => extreme(op, given),
];

/** `var(x, 1)`, `var(x, False)`, `var(x, 1, unbiased=False)`, `var(x, 1, correction=0)`. */
function spread(op: 'var' | 'std', given: Given): PyTensor {
  const isShort = typeof given.value('dim') === 'boolean';
  const unbiased = given.bool(isShort ? 'dim' : 'unbiased');
  const correction = given.floatOrNone('correction') ?? (unbiased ? 1 : 0);
  const over = isShort ? null : dims(given);
  return ops.spread(op, given.tensor('input'), over, correction, given.bool('keepdim'));
}

const spreads = 'input, dim=None, unbiased=True, keepdim=False, *, axis=None, correction=None';

const withMean = (op: 'var' | 'std'): Function => [
  spreads,
  (given) => {
    const over = typeof given.value('dim') === 'boolean' ? null : dims(given);
    const average = ops.mean(given.tensor('input'), over, given.bool('keepdim'), null);
    return new PyTuple([spread(op, given), average]);
  },
];

function norm(given: Given): PyTensor {
  const p = given.value('p');
  const order = p === null || p === 'fro' ? 2 : typeof p === 'string' ? null : given.float('p');
  if (order === null) throw unsupported(`norm of kind "${String(p)}" is not supported`);
  const x = given.tensor('input');
  return ops.norm(x, order, dims(given), given.bool('keepdim'));
}

const softmax = (op: 'softmax' | 'log_softmax', signature: string): Function => [
  signature,
  (given) => ops.softmax(op, given.tensor('input'), optionalDim(given), given.dtypeOrNone('dtype')),
];

const softmin: Function = [
  'input, dim=None, _stacklevel=3, dtype=None',
  (given) => {
    const negative = ops.dtypeKeeper('neg', given.tensor('input'));
    return ops.softmax('softmax', negative, optionalDim(given), given.dtypeOrNone('dtype'));
  },
];

const cumulative = (op: 'cumsum' | 'cumprod'): Function => [
  'input, dim=None, *, axis=None, dtype=None',
  (given) => {
    const dim = oneDim(given);
    if (dim === null) throw raised('TypeError', `${op}: dim is missing`);
    return ops.cumulative(op, given.tensor('input'), dim, given.dtypeOrNone('dtype'));
  },
];

const ordered = 'input, dim=-1, descending=False, stable=False';

function sort(given: Given): PyTensor[] {
  const [descending, stable] = [given.bool('descending'), given.bool('stable')];
  return ops.sort(given.tensor('input'), given.int('dim'), descending, stable);
}

export const functional: Functions = {
  log_softmax: softmax('log_softmax', 'input, dim=None, _stacklevel=3, dtype=None'),
  normalize: [
    'input, p=2.0, dim=1, eps=1e-12',
    (given) =>
      ops.normalize(given.tensor('input'), given.float('p'), given.int('dim'), given.float('eps')),
  ],
  softmax: softmax('softmax', 'input, dim=None, _stacklevel=3, dtype=None'),
  softmin,
};

/** Functions that `torch` and tensors have in common; a tensor leaves `input` out. */
export const tensor: Functions = {
  all: reducing((x, over, keepdim) => ops.quantified('all', x, over, keepdim)),
  amax: reducing((x, over, keepdim) => ops.extreme('amax', x, over, keepdim)),
  amin: reducing((x, over, keepdim) => ops.extreme('amin', x, over, keepdim)),
  any: reducing((x, over, keepdim) => ops.quantified('any', x, over, keepdim)),
  argmax: indexing('argmax'),
  argmin: indexing('argmin'),
  argsort: [ordered, (given) => sort(given)[1]!],
  count_nonzero: [
    'input, dim=None, *, axis=None',
    (given) => ops.sum(ops.to(given.tensor('input'), 'bool'), dims(given), false, null),
  ],
  cumprod: cumulative('cumprod'),
  cumsum: cumulative('cumsum'),
  log_softmax: softmax('log_softmax', 'input, dim, dtype=None'),
  logsumexp: reducing(ops.logsumexp),
  max: extremes('max'),
  mean: accumulating(ops.mean),
  min: extremes('min'),
  norm: ["input, p='fro', dim=None, keepdim=False, *, axis=None", norm],
  prod: accumulating(ops.prod),
  softmax: softmax('softmax', 'input, dim, dtype=None'),
  sort: [ordered, (given) => named(sort(given))],
  std: [spreads, (given) => spread('std', given)],
  sum: accumulating(ops.sum),
  topk: [
    'input, k, dim=-1, largest=True, sorted=True',
    (given) =>
      named(
        ops.topk(
          given.tensor('input'),
          given.int('k'),
          given.int('dim'),
          given.bool('largest'),
          given.bool('sorted'),
        ),
      ),
  ],
  var: [spreads, (given) => spread('var', given)],
};

/** Functions of `torch` alone. */
export const functions: Functions = { std_mean: withMean('std'), var_mean: withMean('var') };
