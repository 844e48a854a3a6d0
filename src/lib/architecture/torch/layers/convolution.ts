/** Convolutions of `torch.nn`, over one, two or three axes. */
import { PyTuple } from '../../python/collections.ts';
import { raised } from '../../python/errors.ts';
import type { Given } from '../arguments.ts';
import { borders, convolve, convolveTransposed, paddingModes } from '../functional/convolution.ts';
import { linearDefaults } from '../init.ts';
import type { Building, Layer, Layers } from '../layer.ts';
import type { Rank } from '../ops/images.ts';

const convolution = (rank: Rank): Layer => ({
  signature:
    "in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True, padding_mode='zeros', device=None, dtype=None",
  build(layer) {
    const { given, parameter, set } = layer;
    const { inputs, outputs, groups, kernel } = keepSizes(layer, rank);
    const [stride, dilation] = [given.sizes('stride', rank, 1), given.sizes('dilation', rank, 1)];
    borders(given, rank, { kernel, stride, dilation });
    if (typeof given.value('padding') !== 'string') {
      set('padding', tuple(given.sizes('padding', rank)));
    }
    given.word('padding_mode', paddingModes);
    parameter('weight', [outputs, inputs / groups, ...kernel]);
    parameter('bias', given.bool('bias') ? [outputs] : null);
  },
  reset: (self) => linearDefaults(self.tensor('weight'), self.held('bias')),
  forward(call, self) {
    const mode = self.word('padding_mode', paddingModes);
    const x = call.tensor('input');
    return convolve(rank, self, x, self.tensor('weight'), self.tensorOrNone('bias'), mode);
  },
});

const transposed = (rank: Rank): Layer => ({
  signature:
    "in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1, bias=True, dilation=1, padding_mode='zeros', device=None, dtype=None",
  call: 'input, output_size=None',
  build(layer) {
    const { given, parameter, set } = layer;
    const { inputs, outputs, groups, kernel } = keepSizes(layer, rank);
    set('padding', tuple(given.sizes('padding', rank)));
    set('output_padding', tuple(given.sizes('output_padding', rank)));
    given.word('padding_mode', ['zeros']);
    parameter('weight', [inputs, outputs / groups, ...kernel]);
    parameter('bias', given.bool('bias') ? [outputs] : null);
  },
  reset: (self) => linearDefaults(self.tensor('weight'), self.held('bias')),
  forward(call, self) {
    const x = call.tensor('input');
    const tensors = { x, weight: self.tensor('weight'), bias: self.tensorOrNone('bias') };
    const wanted = call.value('output_size') === null ? null : call.ints('output_size');
    const extra = wanted
      ? outputPadding(self, rank, x.shape.slice(-rank), wanted.slice(-rank))
      : self.sizes('output_padding', rank);
    return convolveTransposed(rank, self, tensors, extra);
  },
});

/** Checks channels and groups, and keeps what is one int as one for each axis. */
function keepSizes({ given, set }: Building, rank: Rank) {
  const groups = given.size('groups', 1);
  const [inputs, outputs] = [given.size('in_channels', 1), given.size('out_channels', 1)];
  if (inputs % groups !== 0 || outputs % groups !== 0) {
    throw raised(
      'ValueError',
      `convolution: in_channels ${inputs} and out_channels ${outputs} must be divisible by groups ${groups}`,
    );
  }
  const kernel = given.sizes('kernel_size', rank, 1);
  set('kernel_size', tuple(kernel));
  for (const name of ['stride', 'dilation']) set(name, tuple(given.sizes(name, rank, 1)));
  return { inputs, outputs, groups, kernel };
}

/** How much longer than its least each axis has to be for `output_size`. */
function outputPadding(
  self: Given,
  rank: Rank,
  size: readonly number[],
  wanted: readonly number[],
): number[] {
  const [kernel, stride] = [self.sizes('kernel_size', rank, 1), self.sizes('stride', rank, 1)];
  const [padding, dilation] = [self.sizes('padding', rank), self.sizes('dilation', rank, 1)];
  return size.map((length, axis) => {
    const extent = dilation[axis]! * (kernel[axis]! - 1) + 1;
    const least = (length - 1) * stride[axis]! - 2 * padding[axis]! + extent;
    const extra = wanted[axis]! - least;
    if (extra >= 0 && extra < stride[axis]!) return extra;
    throw raised(
      'ValueError',
      `convolution: output_size ${wanted[axis]} is not between ${least} and ${least + stride[axis]! - 1}`,
    );
  });
}

function tuple(sizes: readonly number[]): PyTuple {
  return new PyTuple(sizes.map(BigInt));
}

export const layers: Layers = {
  Conv1d: convolution(1),
  Conv2d: convolution(2),
  Conv3d: convolution(3),
  ConvTranspose1d: transposed(1),
  ConvTranspose2d: transposed(2),
  ConvTranspose3d: transposed(3),
};
