/** Blocks and windows of images, as functions and as methods. */
import type { Given } from '../arguments.ts';
import type { Functions, Methods } from '../natives.ts';
import * as ops from '../ops/index.ts';

/** kernel_size, dilation, padding and stride of unfold and fold. */
export function windowsOf(given: Given): ops.Windows {
  return {
    kernel_size: given.pair('kernel_size', 1),
    dilation: given.pair('dilation', 1),
    padding: given.pair('padding'),
    stride: given.pair('stride', 1),
  };
}

const shuffles: Functions = {
  pixel_shuffle: [
    'input, upscale_factor',
    (given) => ops.pixelShuffle(given.tensor('input'), given.int('upscale_factor')),
  ],
  pixel_unshuffle: [
    'input, downscale_factor',
    (given) => ops.pixelUnshuffle(given.tensor('input'), given.int('downscale_factor')),
  ],
  channel_shuffle: [
    'input, groups',
    (given) => ops.channelShuffle(given.tensor('input'), given.int('groups')),
  ],
};

export const functional: Functions = {
  ...shuffles,
  unfold: [
    'input, kernel_size, dilation=1, padding=0, stride=1',
    (given) => ops.unfold(given.tensor('input'), windowsOf(given)),
  ],
  fold: [
    'input, output_size, kernel_size, dilation=1, padding=0, stride=1',
    (given) => ops.fold(given.tensor('input'), given.pair('output_size', 1), windowsOf(given)),
  ],
};

/** Functions of `torch` alone. */
export const functions: Functions = shuffles;

export const methods: Methods = {
  unfold: [
    'dimension, size, step',
    (self, given) =>
      ops.unfoldAxis(self, given.int('dimension'), given.int('size'), given.int('step')),
  ],
};
