/** Pools of `torch.nn`, over one, two or three axes. */
import { adaptivePool, avgPool, maxPool } from '../functional/pool.ts';
import type { Building, Layer, Layers } from '../layer.ts';
import type { Rank } from '../ops/images.ts';

/** The stride is the kernel where it is not given. */
function keepStride({ given, set }: Building): void {
  if (given.value('stride') === null) set('stride', given.value('kernel_size'));
}

const max = (rank: Rank): Layer => ({
  signature:
    'kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False',
  build: keepStride,
  forward: (call, self) => maxPool(rank, self, call.tensor('input')),
});

const avg = (rank: Rank): Layer => ({
  signature: `kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True${rank === 1 ? '' : ', divisor_override=None'}`,
  build: keepStride,
  forward: (call, self) => avgPool(rank, self, call.tensor('input')),
});

const adaptiveAvg = (rank: Rank): Layer => ({
  signature: 'output_size',
  forward: (call, self) => adaptivePool('avg', rank, self, call.tensor('input')),
});

const adaptiveMax = (rank: Rank): Layer => ({
  signature: 'output_size, return_indices=False',
  forward: (call, self) => adaptivePool('max', rank, self, call.tensor('input')),
});

export const layers: Layers = {
  AdaptiveAvgPool1d: adaptiveAvg(1),
  AdaptiveAvgPool2d: adaptiveAvg(2),
  AdaptiveAvgPool3d: adaptiveAvg(3),
  AdaptiveMaxPool1d: adaptiveMax(1),
  AdaptiveMaxPool2d: adaptiveMax(2),
  AdaptiveMaxPool3d: adaptiveMax(3),
  AvgPool1d: avg(1),
  AvgPool2d: avg(2),
  AvgPool3d: avg(3),
  MaxPool1d: max(1),
  MaxPool2d: max(2),
  MaxPool3d: max(3),
};
