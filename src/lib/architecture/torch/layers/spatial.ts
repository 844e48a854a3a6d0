/** Convolutions, pools and norms of `torch.nn`. */
import type { Pair } from '../../graph.ts';
import { PyTuple } from '../../python/collections.ts';
import { raised, unsupported } from '../../python/errors.ts';
import type { Given } from '../arguments.ts';
import { adaptiveSize, convolutionPadding, maxPool } from '../functional/spatial.ts';
import type { Layer, Layers } from '../layer.ts';
import * as ops from '../ops/index.ts';
import { shapeText } from '../tensor.ts';

const batchNorm = (ranks: readonly number[], words: string): Layer => ({
  signature:
    'num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True, device=None, dtype=None',
  build({ given, parameter, buffer }) {
    const features = [given.size('num_features')];
    const affine = given.bool('affine');
    const tracks = given.bool('track_running_stats');
    given.float('eps');
    if (given.value('momentum') !== null) given.float('momentum');
    parameter('weight', affine ? features : null);
    parameter('bias', affine ? features : null);
    buffer('running_mean', tracks ? features : null);
    buffer('running_var', tracks ? features : null);
    buffer('num_batches_tracked', tracks ? [] : null, 'int64');
  },
  forward(call, self) {
    const x = call.tensor('input');
    if (!ranks.includes(x.shape.length)) {
      throw raised('ValueError', `batch_norm: expected ${words} input, got ${shapeText(x.shape)}`);
    }
    const mean = self.tensorOrNone('running_mean');
    const variance = self.tensorOrNone('running_var');
    // Without running statistics, the batch's own are used in evaluation too.
    const training = self.bool('training') || (mean === null && variance === null);
    const tracks = self.bool('track_running_stats');
    const isUsed = !self.bool('training') || tracks;
    return ops.batchNorm(
      x,
      {
        weight: self.tensorOrNone('weight'),
        bias: self.tensorOrNone('bias'),
        runningMean: isUsed ? mean : null,
        runningVar: isUsed ? variance : null,
        batchesTracked: isUsed ? self.tensorOrNone('num_batches_tracked') : null,
      },
      {
        training,
        momentum: self.value('momentum') === null ? null : self.float('momentum'),
        eps: self.float('eps'),
      },
    );
  },
});

export const layers: Layers = {
  Conv2d: {
    signature:
      "in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True, padding_mode='zeros', device=None, dtype=None",
    build({ given, parameter, set }) {
      const groups = given.size('groups', 1);
      const [inputs, outputs] = [given.size('in_channels', 1), given.size('out_channels', 1)];
      if (inputs % groups !== 0 || outputs % groups !== 0) {
        throw raised(
          'ValueError',
          `Conv2d: in_channels ${inputs} and out_channels ${outputs} must be divisible by groups ${groups}`,
        );
      }
      const kernel = given.pair('kernel_size', 1);
      const stride = given.pair('stride', 1);
      const dilation = given.pair('dilation', 1);
      const padding = convolutionPadding(given, kernel, stride, dilation);
      refusePaddingMode(given);
      set('kernel_size', pairValue(kernel));
      set('stride', pairValue(stride));
      set('dilation', pairValue(dilation));
      if (typeof given.value('padding') !== 'string') set('padding', pairValue(padding));
      parameter('weight', [outputs, inputs / groups, ...kernel]);
      parameter('bias', given.bool('bias') ? [outputs] : null);
    },
    forward(call, self) {
      const x = call.tensor('input');
      refusePaddingMode(self);
      const stride = self.pair('stride', 1);
      const dilation = self.pair('dilation', 1);
      const weight = self.tensor('weight');
      const kernel: Pair = [weight.shape[2] ?? 1, weight.shape[3] ?? 1];
      return ops.conv2d(x, weight, self.tensorOrNone('bias'), {
        stride,
        dilation,
        padding: convolutionPadding(self, kernel, stride, dilation),
        groups: self.size('groups', 1),
      });
    },
  },
  BatchNorm1d: batchNorm([2, 3], '2-d or 3-d'),
  BatchNorm2d: batchNorm([4], '4-d'),
  MaxPool2d: {
    signature:
      'kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False',
    build({ given, set }) {
      if (given.value('stride') === null) set('stride', given.value('kernel_size'));
    },
    forward: (call, self) => maxPool(self, call.tensor('input')),
  },
  AdaptiveAvgPool2d: {
    signature: 'output_size',
    forward: (call, self) => ops.adaptiveAvgPool2d(call.tensor('input'), adaptiveSize(self)),
  },
};

function pairValue(pair: Pair): PyTuple {
  return new PyTuple(pair.map(BigInt));
}

function refusePaddingMode(given: Given): void {
  const mode = given.value('padding_mode');
  if (mode !== 'zeros')
    throw unsupported(`Conv2d: padding_mode "${String(mode)}" is not supported`);
}
