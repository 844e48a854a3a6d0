/** Pools of `torch.nn.functional`, over one, two or three axes. */
import { PyList, PyTuple } from '../../python/collections.ts';
import { raised, unsupported } from '../../python/errors.ts';
import { call } from '../../python/functions.ts';
import { noArguments, type PyValue } from '../../python/object.ts';
import type { Given } from '../arguments.ts';
import type { Function, Functions } from '../natives.ts';
import * as ops from '../ops/index.ts';
import type { Rank } from '../ops/images.ts';
import type { PyTensor } from '../tensor.ts';

/** The stride, which is the kernel where it is None or empty. */
function strideOf(given: Given, rank: Rank, kernel: readonly number[]): readonly number[] {
  const stride = given.value('stride');
  const isAbsent = stride === null || (stride instanceof PyList && stride.items.length === 0);
  return isAbsent ? kernel : given.sizes('stride', rank, 1);
}

export function maxPool(rank: Rank, given: Given, x: PyTensor): PyValue {
  if (given.bool('return_indices')) return maxPoolWithIndices(rank, given, x);
  const kernel = given.sizes('kernel_size', rank, 1);
  return ops.maxPool(rank, x, {
    kernel,
    stride: strideOf(given, rank, kernel),
    padding: given.sizes('padding', rank),
    dilation: given.sizes('dilation', rank, 1),
    ceil: given.bool('ceil_mode'),
  });
}

/** The pool and the places of its maxima, which are worked out in Python: `written/pools.py`. */
function maxPoolWithIndices(rank: Rank, given: Given, x: PyTensor): PyValue {
  const { written, interpreter } = x.session;
  const pool = written.at('torch.nn.functional', `max_pool${rank}d_with_indices`);
  if (pool === undefined) {
    throw unsupported(`max_pool${rank}d with return_indices is not supported`);
  }
  const names = ['kernel_size', 'stride', 'padding', 'dilation', 'ceil_mode'];
  const positional = [x, ...names.map((name) => given.value(name))];
  return call(interpreter, pool, { ...noArguments, positional });
}

export function avgPool(rank: Rank, given: Given, x: PyTensor): PyTensor {
  const kernel = given.sizes('kernel_size', rank, 1);
  return ops.avgPool(rank, x, {
    kernel,
    stride: strideOf(given, rank, kernel),
    padding: given.sizes('padding', rank),
    ceil: given.bool('ceil_mode'),
    countsPadding: given.bool('count_include_pad'),
    divisor: rank === 1 ? null : given.intOrNone('divisor_override'),
  });
}

export function adaptivePool(kind: 'avg' | 'max', rank: Rank, given: Given, x: PyTensor): PyTensor {
  if (kind === 'max' && given.bool('return_indices')) {
    throw unsupported(`adaptive_max_pool${rank}d with return_indices is not supported`);
  }
  return ops.adaptivePool(
    kind,
    rank,
    x,
    adaptiveSize(given, `adaptive_${kind}_pool${rank}d`, rank),
  );
}

/** An int, or a list of ints and Nones, which keep the size of their axis. */
function adaptiveSize(given: Given, what: string, rank: Rank): readonly (number | null)[] {
  const size = given.value('output_size');
  const items = size instanceof PyTuple || size instanceof PyList ? size.items : [size];
  const sizes = items.map((item) => {
    if (item === null) return null;
    if (typeof item === 'bigint' && item >= 0n) return Number(item);
    throw raised('TypeError', `${what}: output_size must be ints or None`);
  });
  if (sizes.length === rank) return sizes;
  if (sizes.length === 1) return new Array<number | null>(rank).fill(sizes[0]!);
  throw raised('TypeError', `${what}: output_size has ${sizes.length} sizes, not ${rank}`);
}

const max = (rank: Rank): Function => [
  'input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False',
  (given) => maxPool(rank, given, given.tensor('input')),
];

const avg = (rank: Rank): Function => [
  `input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True${rank === 1 ? '' : ', divisor_override=None'}`,
  (given) => avgPool(rank, given, given.tensor('input')),
];

const adaptiveAvg = (rank: Rank): Function => [
  'input, output_size',
  (given) => adaptivePool('avg', rank, given, given.tensor('input')),
];

const adaptiveMax = (rank: Rank): Function => [
  'input, output_size, return_indices=False',
  (given) => adaptivePool('max', rank, given, given.tensor('input')),
];

export const functional: Functions = {
  adaptive_avg_pool1d: adaptiveAvg(1),
  adaptive_avg_pool2d: adaptiveAvg(2),
  adaptive_avg_pool3d: adaptiveAvg(3),
  adaptive_max_pool1d: adaptiveMax(1),
  adaptive_max_pool2d: adaptiveMax(2),
  adaptive_max_pool3d: adaptiveMax(3),
  avg_pool1d: avg(1),
  avg_pool2d: avg(2),
  avg_pool3d: avg(3),
  max_pool1d: max(1),
  max_pool2d: max(2),
  max_pool3d: max(3),
};
