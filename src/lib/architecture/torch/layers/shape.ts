/** Layers of `torch.nn` that only move elements. */
import { PyTuple } from '../../python/collections.ts';
import { raised } from '../../python/errors.ts';
import { windowsOf } from '../functional/windows.ts';
import type { Layer, Layers } from '../layer.ts';
import * as ops from '../ops/index.ts';
import { shapeText } from '../tensor.ts';

/** A padding layer of as many axes; `padding` is kept as a tuple of 2 · rank numbers. */
function padding(mode: ops.PadMode, rank: number, value: 'zero' | 'given' = 'zero'): Layer {
  return {
    signature: value === 'given' ? 'padding, value' : 'padding',
    build({ given, set }) {
      set('padding', new PyTuple(given.sizes('padding', 2 * rank, -Infinity).map(BigInt)));
      if (value === 'given') given.float('value');
    },
    forward(call, self) {
      const x = call.tensor('input');
      const ranks = x.shape.length - rank;
      if (mode !== 'constant' && ranks !== 1 && ranks !== 2) {
        throw raised(
          'RuntimeError',
          `pad: input has shape ${shapeText(x.shape)}, ${rank + 1} or ${rank + 2} dimensions are needed`,
        );
      }
      return ops.pad(x, self.ints('padding'), mode, value === 'given' ? self.float('value') : 0);
    },
  };
}

export const layers: Layers = {
  ChannelShuffle: {
    signature: 'groups',
    forward: (call, self) => ops.channelShuffle(call.tensor('input'), self.int('groups')),
  },
  CircularPad1d: padding('circular', 1),
  CircularPad2d: padding('circular', 2),
  CircularPad3d: padding('circular', 3),
  ConstantPad1d: padding('constant', 1, 'given'),
  ConstantPad2d: padding('constant', 2, 'given'),
  ConstantPad3d: padding('constant', 3, 'given'),
  Flatten: {
    signature: 'start_dim=1, end_dim=-1',
    forward: (call, self) =>
      ops.flatten(call.tensor('input'), self.int('start_dim'), self.int('end_dim')),
  },
  Fold: {
    signature: 'output_size, kernel_size, dilation=1, padding=0, stride=1',
    forward: (call, self) =>
      ops.fold(call.tensor('input'), self.pair('output_size', 1), windowsOf(self)),
  },
  PixelShuffle: {
    signature: 'upscale_factor',
    forward: (call, self) => ops.pixelShuffle(call.tensor('input'), self.int('upscale_factor')),
  },
  PixelUnshuffle: {
    signature: 'downscale_factor',
    forward: (call, self) => ops.pixelUnshuffle(call.tensor('input'), self.int('downscale_factor')),
  },
  ReflectionPad1d: padding('reflect', 1),
  ReflectionPad2d: padding('reflect', 2),
  ReflectionPad3d: padding('reflect', 3),
  ReplicationPad1d: padding('replicate', 1),
  ReplicationPad2d: padding('replicate', 2),
  ReplicationPad3d: padding('replicate', 3),
  Unflatten: {
    signature: 'dim, unflattened_size',
    forward: (call, self) =>
      ops.unflatten(call.tensor('input'), self.int('dim'), self.ints('unflattened_size')),
  },
  Unfold: {
    signature: 'kernel_size, dilation=1, padding=0, stride=1',
    forward: (call, self) => ops.unfold(call.tensor('input'), windowsOf(self)),
  },
  ZeroPad1d: padding('constant', 1),
  ZeroPad2d: padding('constant', 2),
  ZeroPad3d: padding('constant', 3),
};
