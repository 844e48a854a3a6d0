/** Convolutions of `torch.nn.functional`, over one, two or three axes. */
import { raised } from '../../python/errors.ts';
import type { Given } from '../arguments.ts';
import type { Function, Functions } from '../natives.ts';
import * as ops from '../ops/index.ts';
import type { Rank } from '../ops/images.ts';
import type { PyTensor } from '../tensor.ts';

/** `padding_mode` of layers. */
export const paddingModes = ['zeros', 'reflect', 'replicate', 'circular'] as const;
export type PaddingMode = (typeof paddingModes)[number];

/** [before, after] of each axis. */
type Borders = readonly (readonly [number, number])[];

/** Padding as numbers, or as a word: `same` keeps the size, with the odd one behind. */
export function borders(
  given: Given,
  rank: Rank,
  window: { readonly [Key in 'kernel' | 'stride' | 'dilation']: readonly number[] },
): Borders {
  const padding = given.value('padding');
  if (typeof padding !== 'string') {
    return given.sizes('padding', rank).map((pad) => [pad, pad]);
  }
  if (padding === 'valid') return window.kernel.map(() => [0, 0]);
  if (padding !== 'same') {
    throw raised(
      'ValueError',
      `conv${rank}d: padding must be "same", "valid" or ints, not "${padding}"`,
    );
  }
  if (window.stride.some((step) => step !== 1)) {
    throw raised('ValueError', `conv${rank}d: padding "same" needs a stride of 1`);
  }
  return window.kernel.map((size, axis) => {
    const total = window.dilation[axis]! * (size - 1);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  });
}

/** A convolution by arguments that functions and layers call the same; `mode` is the border's. */
export function convolve(
  rank: Rank,
  given: Given,
  x: PyTensor,
  weight: PyTensor,
  bias: PyTensor | null,
  mode: PaddingMode = 'zeros',
): PyTensor {
  const kernel = Array.from({ length: rank }, (_, axis) => weight.shape[2 + axis] ?? 1);
  const stride = given.sizes('stride', rank, 1);
  const dilation = given.sizes('dilation', rank, 1);
  const groups = given.size('groups', 1);
  const around = borders(given, rank, { kernel, stride, dilation });
  const own = around.map(([before]) => before);
  const isEven = around.every(([before, after]) => before === after);
  if (mode === 'zeros' && isEven) {
    return ops.convolution(rank, x, weight, bias, { stride, padding: own, dilation, groups });
  }
  const padded = ops.pad(x, around.toReversed().flat(), mode === 'zeros' ? 'constant' : mode, 0);
  const padding = own.map(() => 0);
  return ops.convolution(rank, padded, weight, bias, { stride, padding, dilation, groups });
}

/** The same, transposed; `extra` is output_padding. */
export function convolveTransposed(
  rank: Rank,
  given: Given,
  tensors: { readonly x: PyTensor; readonly weight: PyTensor; readonly bias: PyTensor | null },
  extra: readonly number[],
): PyTensor {
  return ops.transposedConvolution(rank, tensors.x, tensors.weight, tensors.bias, {
    stride: given.sizes('stride', rank, 1),
    padding: given.sizes('padding', rank),
    output_padding: extra,
    dilation: given.sizes('dilation', rank, 1),
    groups: given.size('groups', 1),
  });
}

const convolution = (rank: Rank): Function => [
  'input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1',
  (given) =>
    convolve(
      rank,
      given,
      given.tensor('input'),
      given.tensor('weight'),
      given.tensorOrNone('bias'),
    ),
];

const transposed = (rank: Rank): Function => [
  'input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1',
  (given) => {
    const tensors = {
      x: given.tensor('input'),
      weight: given.tensor('weight'),
      bias: given.tensorOrNone('bias'),
    };
    return convolveTransposed(rank, given, tensors, given.sizes('output_padding', rank));
  },
];

export const functional: Functions = {
  conv1d: convolution(1),
  conv2d: convolution(2),
  conv3d: convolution(3),
  conv_transpose1d: transposed(1),
  conv_transpose2d: transposed(2),
  conv_transpose3d: transposed(3),
};
