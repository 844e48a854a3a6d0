/** Normalisation of `torch.nn`. */
import { PyTuple } from '../../python/collections.ts';
import { raised } from '../../python/errors.ts';
import type { Given } from '../arguments.ts';
import { fillConstant } from '../init.ts';
import type { Attributes, Building, Layer, Layers } from '../layer.ts';
import * as ops from '../ops/index.ts';
import { inBatches, type Rank } from '../ops/images.ts';
import { shapeText } from '../tensor.ts';

/** Weight and bias, and the running statistics, each where it is asked for. */
function makeStatistics({ given, parameter, buffer }: Building): void {
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
}

/** Ones and zeros: what leaves normalised values as they are. */
function resetNorm(self: Attributes): void {
  const values = { weight: 1, bias: 0, running_mean: 0, running_var: 1, num_batches_tracked: 0 };
  for (const [name, value] of Object.entries(values)) {
    const tensor = self.held(name);
    if (tensor) fillConstant(tensor, value);
  }
}

const statistics = (self: Given) => ({
  weight: self.tensorOrNone('weight'),
  bias: self.tensorOrNone('bias'),
  runningMean: self.tensorOrNone('running_mean'),
  runningVar: self.tensorOrNone('running_var'),
});

const batchNorm = (ranks: readonly number[], words: string, more = ''): Layer => ({
  signature: `num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True${more}, device=None, dtype=None`,
  build: makeStatistics,
  reset: resetNorm,
  forward(call, self) {
    const x = call.tensor('input');
    if (!ranks.includes(x.shape.length)) {
      throw raised('ValueError', `batch_norm: expected ${words} input, got ${shapeText(x.shape)}`);
    }
    const tensors = statistics(self);
    const { runningMean, runningVar } = tensors;
    // Without running statistics, the batch's own are used in evaluation too.
    const training = self.bool('training') || (runningMean === null && runningVar === null);
    const isUsed = !self.bool('training') || self.bool('track_running_stats');
    return ops.batchNorm(
      x,
      {
        ...tensors,
        runningMean: isUsed ? runningMean : null,
        runningVar: isUsed ? runningVar : null,
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

const instanceNorm = (rank: Rank): Layer => ({
  signature:
    'num_features, eps=1e-5, momentum=0.1, affine=False, track_running_stats=False, device=None, dtype=None',
  build: makeStatistics,
  reset: resetNorm,
  forward: (call, self) =>
    inBatches(`instance_norm of ${rank} axes`, call.tensor('input'), rank, (x) => {
      const tensors = statistics(self);
      const momentum = self.value('momentum') === null ? 0 : self.float('momentum');
      const attrs = { momentum, eps: self.float('eps') };
      if (self.bool('training') || !self.bool('track_running_stats')) {
        return ops.instanceNorm(x, tensors, attrs);
      }
      return ops.batchNorm(x, { ...tensors, batchesTracked: null }, { ...attrs, training: false });
    }),
});

export const layers: Layers = {
  BatchNorm1d: batchNorm([2, 3], '2-d or 3-d'),
  BatchNorm2d: batchNorm([4], '4-d'),
  BatchNorm3d: batchNorm([5], '5-d'),
  // The statistics of one device are those of all devices here.
  SyncBatchNorm: batchNorm([2, 3, 4, 5], 'at least 2-d', ', process_group=None'),
  InstanceNorm1d: instanceNorm(1),
  InstanceNorm2d: instanceNorm(2),
  InstanceNorm3d: instanceNorm(3),
  GroupNorm: {
    signature: 'num_groups, num_channels, eps=1e-5, affine=True, device=None, dtype=None',
    build({ given, parameter }) {
      const [groups, channels] = [given.size('num_groups', 1), given.size('num_channels')];
      if (channels % groups !== 0) {
        throw raised(
          'ValueError',
          `GroupNorm: ${channels} channels do not divide into ${groups} groups`,
        );
      }
      parameter('weight', given.bool('affine') ? [channels] : null);
      parameter('bias', given.bool('affine') ? [channels] : null);
    },
    reset: resetNorm,
    forward: (call, self) =>
      ops.groupNorm(
        call.tensor('input'),
        self.size('num_groups', 1),
        { weight: self.tensorOrNone('weight'), bias: self.tensorOrNone('bias') },
        self.float('eps'),
      ),
  },
  LayerNorm: {
    signature:
      'normalized_shape, eps=1e-5, elementwise_affine=True, bias=True, device=None, dtype=None',
    build(layer) {
      const { given, parameter } = layer;
      const { shape, affine } = normalizedShape(layer);
      parameter('weight', affine ? shape : null);
      parameter('bias', affine && given.bool('bias') ? shape : null);
    },
    reset: resetNorm,
    forward: (call, self) =>
      ops.layerNorm(
        call.tensor('input'),
        self.ints('normalized_shape'),
        { weight: self.tensorOrNone('weight'), bias: self.tensorOrNone('bias') },
        self.float('eps'),
      ),
  },
  RMSNorm: {
    signature: 'normalized_shape, eps=None, elementwise_affine=True, device=None, dtype=None',
    build(layer) {
      const { shape, affine } = normalizedShape(layer);
      layer.parameter('weight', affine ? shape : null);
    },
    reset: resetNorm,
    forward: (call, self) =>
      ops.rmsNorm(
        call.tensor('input'),
        self.ints('normalized_shape'),
        self.tensorOrNone('weight'),
        self.floatOrNone('eps'),
      ),
  },
  LocalResponseNorm: {
    signature: 'size, alpha=1e-4, beta=0.75, k=1.0',
    forward: (call, self) =>
      ops.localResponseNorm(call.tensor('input'), {
        size: self.size('size', 1),
        alpha: self.float('alpha'),
        beta: self.float('beta'),
        k: self.float('k'),
      }),
  },
};

function normalizedShape({ given, set }: Building): { shape: number[]; affine: boolean } {
  const shape = given.ints('normalized_shape');
  set('normalized_shape', new PyTuple(shape.map(BigInt)));
  return { shape, affine: given.bool('elementwise_affine') };
}
