/** Convolutions, pools, norms and resizing. */
import { PyList, PyTuple } from '../python/collections.ts';
import { unsupported } from '../python/errors.ts';
import type { PyValue } from '../python/object.ts';
import { batchNorm } from '../torch/ops/index.ts';
import type { Given } from '../torch/arguments.ts';
import type { PyTensor } from '../torch/tensor.ts';
import { withUnused, type Adapter, type Adapters, type Aten } from './adapter.ts';

const conv: Adapter[0] = 'input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1';
const transposed: Adapter[0] =
  'input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1';

/** The general convolution: its rank is the weight's. */
function convolution(given: Given, aten: Aten): PyValue {
  const weight = given.tensor('weight');
  const rank = weight.shape.length - 2;
  if (rank < 1 || rank > 3) throw unsupported(`a convolution over ${rank} axes is not supported`);
  const [input, bias, stride, padding, dilation, groups] =
    'input bias stride padding dilation groups'.split(' ').map((name) => given.value(name));
  if (!given.bool('transposed')) {
    return aten.python(`F.conv${rank}d`, [
      input!,
      weight,
      bias!,
      stride!,
      padding!,
      dilation!,
      groups!,
    ]);
  }
  const output = given.value('output_padding');
  return aten.python(`F.conv_transpose${rank}d`, [
    input!,
    weight,
    bias!,
    stride!,
    padding!,
    output,
    groups!,
    dilation!,
  ]);
}

/** batch_norm in all its forms. The counter of batches is the one that the code counted up. */
function norm(given: Given, aten: Aten, training: boolean): PyTensor {
  const runningMean = given.tensorOrNone('running_mean');
  return batchNorm(
    given.tensor('input'),
    {
      weight: given.tensorOrNone('weight'),
      bias: given.tensorOrNone('bias'),
      runningMean,
      runningVar: given.tensorOrNone('running_var'),
      batchesTracked: training ? aten.takeCounter(runningMean) : null,
    },
    { training, momentum: given.float('momentum'), eps: given.float('eps') },
  );
}

/** Pools write the stride that is the kernel's as an empty list. */
function pooled(name: string, names: readonly string[]): Exclude<Adapter[1], string> {
  return (given, aten) => {
    const args = names.map((key) => given.value(key));
    return aten.python(
      name,
      args.map((value) => (isEmpty(value) ? null : value)),
    );
  };
}

function isEmpty(value: PyValue): boolean {
  return (value instanceof PyList || value instanceof PyTuple) && value.items.length === 0;
}

const maxPool = 'self, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False';
const maxNames = 'self kernel_size stride padding dilation ceil_mode'.split(' ');
const avgPool =
  'self, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None';
const avgNames =
  'self kernel_size stride padding ceil_mode count_include_pad divisor_override'.split(' ');

const withIndices = (rank: number): Adapter => [
  maxPool,
  (given, aten) => {
    const pool = pooled(`F.max_pool${rank}d`, maxNames);
    return withUnused(pool(given, aten), 'the indices of max_pool');
  },
];

/** An upsample: to `output_size`, or by the factors that the `.vec` form or `scales_*` give. */
const upsample = (mode: string, rank: number, aligned: boolean): Adapter => {
  const scales = ['scales_d', 'scales_h', 'scales_w'].slice(-rank);
  const names = rank === 1 ? ['scales'] : scales;
  const corners = aligned ? 'align_corners, ' : '';
  return [
    `self, output_size, ${corners}${names.map((name) => `${name}=None`).join(', ')}, *, input=None, scale_factors=None`,
    (given, aten) => {
      // The `.vec` form has scale_factors, a list, where the other one has its first scale.
      const first = given.value(names[0]!);
      const factors = given.value('scale_factors') ?? (isList(first) ? first : null);
      const size = given.value('output_size');
      return aten.python('F.interpolate', [given.value('self')], {
        ...(factors === null ? { size } : { scale_factor: factors }),
        mode,
        ...(aligned && { align_corners: given.value('align_corners') }),
      });
    },
  ];
};

function isList(value: PyValue): boolean {
  return value instanceof PyList || value instanceof PyTuple;
}

export const spatial: Adapters = {
  conv1d: [conv, 'F.conv1d'],
  conv2d: [conv, 'F.conv2d'],
  conv3d: [conv, 'F.conv3d'],
  conv_transpose1d: [transposed, 'F.conv_transpose1d'],
  conv_transpose2d: [transposed, 'F.conv_transpose2d'],
  conv_transpose3d: [transposed, 'F.conv_transpose3d'],
  _convolution: [
    'input, weight, bias, stride, padding, dilation, transposed, output_padding, groups, benchmark=False, deterministic=False, cudnn_enabled=True, allow_tf32=True',
    convolution,
  ],
  convolution: [
    'input, weight, bias, stride, padding, dilation, transposed, output_padding, groups',
    convolution,
  ],
  batch_norm: [
    'input, weight, bias, running_mean, running_var, training, momentum, eps, cudnn_enabled=True',
    (given, aten) => norm(given, aten, given.bool('training')),
  ],
  native_batch_norm: [
    'input, weight, bias, running_mean, running_var, training, momentum, eps',
    (given, aten) =>
      withUnused(norm(given, aten, given.bool('training')), 'save_mean', 'save_invstd'),
  ],
  _native_batch_norm_legit: [
    'input, weight, bias, running_mean=None, running_var=None, training=None, momentum=None, eps=None',
    (given, aten) => {
      // The form without running statistics has training, momentum and eps in their place.
      const isShort = typeof given.value('running_mean') === 'boolean';
      const moved = given
        .with('training', given.value('running_mean'))
        .with('momentum', given.value('running_var'))
        .with('eps', given.value('training'))
        .with('running_mean', null)
        .with('running_var', null);
      const all = isShort ? moved : given;
      return withUnused(norm(all, aten, all.bool('training')), 'save_mean', 'save_invstd');
    },
  ],
  _native_batch_norm_legit_no_training: [
    'input, weight, bias, running_mean, running_var, momentum, eps',
    (given, aten) => withUnused(norm(given, aten, false), 'save_mean', 'save_invstd'),
  ],
  layer_norm: [
    'input, normalized_shape, weight=None, bias=None, eps=1e-5, cudnn_enable=True',
    'F.layer_norm',
  ],
  native_layer_norm: [
    'input, normalized_shape, weight, bias, eps',
    (given, aten) => {
      const names = 'input normalized_shape weight bias eps'.split(' ');
      const result = aten.python(
        'F.layer_norm',
        names.map((name) => given.value(name)),
      );
      return withUnused(result, 'mean', 'rstd');
    },
  ],
  group_norm: [
    'input, num_groups, weight=None, bias=None, eps=1e-5, cudnn_enabled=True',
    'F.group_norm',
  ],
  native_group_norm: [
    'input, weight, bias, N, C, HxW, group, eps',
    (given, aten) => {
      const names = 'input group weight bias eps'.split(' ');
      const result = aten.python(
        'F.group_norm',
        names.map((name) => given.value(name)),
      );
      return withUnused(result, 'mean', 'rstd');
    },
  ],
  instance_norm: [
    'input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, cudnn_enabled=True',
    (given, aten) => {
      const names = 'input running_mean running_var weight bias use_input_stats momentum eps'.split(
        ' ',
      );
      return aten.python(
        'F.instance_norm',
        names.map((name) => given.value(name)),
      );
    },
  ],
  rms_norm: ['input, normalized_shape, weight=None, eps=None', 'F.rms_norm'],

  max_pool1d: [maxPool, pooled('F.max_pool1d', maxNames)],
  max_pool2d: [maxPool, pooled('F.max_pool2d', maxNames)],
  max_pool3d: [maxPool, pooled('F.max_pool3d', maxNames)],
  max_pool2d_with_indices: withIndices(2),
  max_pool3d_with_indices: withIndices(3),
  avg_pool1d: [
    'self, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True',
    pooled('F.avg_pool1d', avgNames.slice(0, -1)),
  ],
  avg_pool2d: [avgPool, pooled('F.avg_pool2d', avgNames)],
  avg_pool3d: [avgPool, pooled('F.avg_pool3d', avgNames)],
  adaptive_avg_pool1d: ['self, output_size', 'F.adaptive_avg_pool1d'],
  adaptive_avg_pool2d: ['self, output_size', 'F.adaptive_avg_pool2d'],
  _adaptive_avg_pool2d: ['self, output_size', 'F.adaptive_avg_pool2d'],
  adaptive_avg_pool3d: ['self, output_size', 'F.adaptive_avg_pool3d'],
  adaptive_max_pool1d: ['self, output_size', maxima(1)],
  adaptive_max_pool2d: ['self, output_size', maxima(2)],

  upsample_nearest1d: upsample('nearest', 1, false),
  upsample_nearest2d: upsample('nearest', 2, false),
  upsample_linear1d: upsample('linear', 1, true),
  upsample_bilinear2d: upsample('bilinear', 2, true),
  upsample_bicubic2d: upsample('bicubic', 2, true),
  grid_sampler: [
    'input, grid, interpolation_mode, padding_mode, align_corners',
    (given, aten) =>
      aten.python('F.grid_sample', [
        given.value('input'),
        given.value('grid'),
        pick(['bilinear', 'nearest', 'bicubic'], given.int('interpolation_mode')),
        pick(['zeros', 'border', 'reflection'], given.int('padding_mode')),
        given.value('align_corners'),
      ]),
  ],
};

/** Adaptive maxima come with their indices. */
function maxima(rank: number): Exclude<Adapter[1], string> {
  return (given, aten) => {
    const args = [given.value('self'), given.value('output_size')];
    return withUnused(aten.python(`F.adaptive_max_pool${rank}d`, args), 'the indices of max_pool');
  };
}

/** A word by torch's number for it. */
function pick(words: readonly string[], number: number): string {
  const word = words[number];
  if (word === undefined) throw unsupported(`the mode ${number} is not supported`);
  return word;
}
