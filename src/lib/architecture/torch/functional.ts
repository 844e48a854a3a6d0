/** `torch.nn.functional`, and the functions of `torch` that are ops. */
import type { Pair } from '../graph.ts';
import { PyList, PyTuple } from '../python/collections.ts';
import { raised, unsupported } from '../python/errors.ts';
import { NativeFunction } from '../python/functions.ts';
import { isNumeric, toFloat } from '../python/numbers.ts';
import type { PyValue } from '../python/object.ts';
import { Given } from './arguments.ts';
import * as ops from './ops.ts';
import { PyTensor } from './tensor.ts';

export type Function = readonly [signature: string, body: (given: Given) => PyValue];

/** Wraps functions by name; `prefix` is for messages (`torch.nn.functional`). */
export function natives(
  prefix: string,
  functions: Readonly<Record<string, Function>>,
): Map<string, PyValue> {
  const entries = Object.entries(functions).map(([name, [signature, body]]) => {
    const run = (_: unknown, bound: { values: Map<string, PyValue> }): PyValue =>
      body(new Given(name, bound.values));
    return [name, new NativeFunction(`${prefix}${name}`, signature, run)] as const;
  });
  return new Map(entries);
}

/** The result, or with `inplace=True` the input changed to it. */
export function maybeInPlace(given: Given, x: PyTensor, result: PyTensor): PyTensor {
  if (!given.bool('inplace')) return result;
  x.become(result);
  return x;
}

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

/** A dim that may be None. */
export function optionalDim(given: Given): number | null {
  return given.value('dim') === null ? null : given.int('dim');
}

/** `dtype=` of softmax: a cast that is none here. */
function sameDtype(given: Given): void {
  if (given.value('dtype') !== null) throw unsupported('softmax with a dtype is not supported');
}

/** x + alpha · other, where other is a tensor or a number. */
export function addValues(x: PyTensor, other: PyValue, alpha: number): PyTensor {
  if (other instanceof PyTensor) return ops.add(x, other, alpha);
  if (!isNumeric(other)) throw raised('TypeError', 'add: a tensor or a number is needed');
  return ops.addScalar(x, alpha * toFloat(other));
}

export const functionalOps: Readonly<Record<string, Function>> = {
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
  linear: [
    'input, weight, bias=None',
    (given) =>
      ops.linear(given.tensor('input'), given.tensor('weight'), given.tensorOrNone('bias')),
  ],
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
  dropout: [
    'input, p=0.5, training=True, inplace=False',
    (given) => {
      const x = given.tensor('input');
      return maybeInPlace(given, x, ops.dropout(x, given.float('p'), given.bool('training')));
    },
  ],
  softmax: [
    'input, dim=None, _stacklevel=3, dtype=None',
    (given) => {
      sameDtype(given);
      return ops.softmax('softmax', given.tensor('input'), optionalDim(given));
    },
  ],
  log_softmax: [
    'input, dim=None, _stacklevel=3, dtype=None',
    (given) => {
      sameDtype(given);
      return ops.softmax('log_softmax', given.tensor('input'), optionalDim(given));
    },
  ],
};

/** Functions that `torch` and tensors have in common; a tensor leaves `input` out. */
export const tensorOps: Readonly<Record<string, Function>> = {
  flatten: [
    'input, start_dim=0, end_dim=-1',
    (given) => ops.flatten(given.tensor('input'), given.int('start_dim'), given.int('end_dim')),
  ],
  relu: ['input', (given) => ops.relu(given.tensor('input'))],
  relu_: functionalOps.relu_!,
  reshape: [
    'input, shape',
    (given) => ops.reshape(given.tensor('input'), given.ints('shape'), 'reshape'),
  ],
  add: [
    'input, other, *, alpha=1',
    (given) => addValues(given.tensor('input'), given.value('other'), given.float('alpha')),
  ],
  softmax: [
    'input, dim, dtype=None',
    (given) => {
      sameDtype(given);
      return ops.softmax('softmax', given.tensor('input'), given.int('dim'));
    },
  ],
  log_softmax: [
    'input, dim, dtype=None',
    (given) => {
      sameDtype(given);
      return ops.softmax('log_softmax', given.tensor('input'), given.int('dim'));
    },
  ],
  unsqueeze: [
    'input, dim',
    (given) => {
      const { shape } = given.tensor('input');
      const at = given.int('dim') < 0 ? given.int('dim') + shape.length + 1 : given.int('dim');
      if (at < 0 || at > shape.length) {
        throw raised('IndexError', `unsqueeze: dimension ${given.int('dim')} is out of range`);
      }
      return ops.reshape(given.tensor('input'), shape.toSpliced(at, 0, 1), 'unsqueeze');
    },
  ],
};
