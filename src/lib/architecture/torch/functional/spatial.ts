/** Convolutions, pools and norms of `torch.nn.functional`. */
import type { Pair } from '../../graph.ts';
import { PyList, PyTuple } from '../../python/collections.ts';
import { raised, unsupported } from '../../python/errors.ts';
import type { Given } from '../arguments.ts';
import { type Functions } from '../natives.ts';
import * as ops from '../ops/index.ts';
import type { PyTensor } from '../tensor.ts';

/** Padding as numbers or a word; `same` only where both sides get equally much. */
export function convolutionPadding(given: Given, kernel: Pair, stride: Pair, dilation: Pair): Pair {
  const padding = given.value('padding');
  if (typeof padding !== 'string') return given.pair('padding');
  if (padding === 'valid') return [0, 0];
  if (padding !== 'same') {
    throw raised('ValueError', `conv2d: padding must be "same", "valid" or ints, not "${padding}"`);
  }
  if (stride[0] !== 1 || stride[1] !== 1) {
    throw raised('ValueError', 'conv2d: padding "same" needs a stride of 1');
  }
  const total = [dilation[0] * (kernel[0] - 1), dilation[1] * (kernel[1] - 1)] as const;
  if (total[0] % 2 !== 0 || total[1] % 2 !== 0) {
    throw unsupported(`conv2d: padding "same" of an even kernel (${kernel}) is not supported`);
  }
  return [total[0] / 2, total[1] / 2];
}

/** kernel_size, stride (the kernel where absent), padding, dilation, ceil_mode. */
export function maxPool(given: Given, x: PyTensor): PyTensor {
  if (given.bool('return_indices')) {
    throw unsupported('max_pool2d with return_indices is not supported');
  }
  const kernel = given.pair('kernel_size', 1);
  const stride = given.value('stride');
  const isAbsent = stride === null || (stride instanceof PyList && stride.items.length === 0);
  return ops.maxPool2d(x, {
    kernel,
    stride: isAbsent ? kernel : given.pair('stride', 1),
    padding: given.pair('padding'),
    dilation: given.pair('dilation', 1),
    ceil: given.bool('ceil_mode'),
  });
}

export function adaptiveSize(given: Given): readonly [number | null, number | null] {
  const size = given.value('output_size');
  if (!(size instanceof PyTuple || size instanceof PyList)) {
    return size === null ? [null, null] : given.pair('output_size');
  }
  const parts = size.items.map((item) => {
    if (item === null) return null;
    if (typeof item === 'bigint' && item >= 0n) return Number(item);
    throw raised('TypeError', 'adaptive_avg_pool2d: output_size must be ints or None');
  });
  if (parts.length === 2) return [parts[0]!, parts[1]!];
  throw raised('TypeError', `adaptive_avg_pool2d: output_size has ${parts.length} sizes, not 2`);
}

export const functional: Functions = {
  conv2d: [
    'input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1',
    (given) => {
      const weight = given.tensor('weight');
      const stride = given.pair('stride', 1);
      const dilation = given.pair('dilation', 1);
      const kernel: Pair = [weight.shape[2] ?? 1, weight.shape[3] ?? 1];
      return ops.conv2d(given.tensor('input'), weight, given.tensorOrNone('bias'), {
        stride,
        dilation,
        padding: convolutionPadding(given, kernel, stride, dilation),
        groups: given.size('groups', 1),
      });
    },
  ],
  batch_norm: [
    'input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5',
    (given) =>
      ops.batchNorm(
        given.tensor('input'),
        {
          weight: given.tensorOrNone('weight'),
          bias: given.tensorOrNone('bias'),
          runningMean: given.tensorOrNone('running_mean'),
          runningVar: given.tensorOrNone('running_var'),
          batchesTracked: null,
        },
        {
          training: given.bool('training'),
          momentum: given.float('momentum'),
          eps: given.float('eps'),
        },
      ),
  ],
  max_pool2d: [
    'input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False',
    (given) => maxPool(given, given.tensor('input')),
  ],
  adaptive_avg_pool2d: [
    'input, output_size',
    (given) => ops.adaptiveAvgPool2d(given.tensor('input'), adaptiveSize(given)),
  ],
};
