/** Normalisation: by running statistics, the batch, an image, a group of channels, the last axes. */
import { numel } from '#lib/checkpoint/tensor.ts';
import { raised } from '../../python/errors.ts';
import { demandFloat, demandShape, emit } from '../emit.ts';
import { shapeText, type PyTensor } from '../tensor.ts';

export interface BatchNorm {
  readonly training: boolean;
  readonly momentum: number | null;
  readonly eps: number;
}

type Tensors<Role extends string> = Readonly<Record<Role, PyTensor | null>>;

export function batchNorm(
  x: PyTensor,
  tensors: Tensors<'weight' | 'bias' | 'runningMean' | 'runningVar' | 'batchesTracked'>,
  attrs: BatchNorm,
): PyTensor {
  const { weight, bias, runningMean, runningVar, batchesTracked } = tensors;
  const channels = demandChannels('batch_norm', x, 2);
  const size = numel(x.shape);
  if (attrs.training && size / channels <= 1) {
    throw raised(
      'ValueError',
      `batch_norm: expected more than 1 value per channel when training, got input size ${shapeText(x.shape)}`,
    );
  }
  if ((runningMean === null) !== (runningVar === null) || (!attrs.training && !runningMean)) {
    throw raised('RuntimeError', 'batch_norm: running_mean and running_var are needed');
  }
  demandPerChannel('batch_norm', channels, tensors);
  return emit(
    'batch_norm',
    [x, weight, bias, runningMean, runningVar, batchesTracked],
    { ...attrs },
    x.shape,
    x.dtype,
  );
}

/** By each image's own statistics; running ones, where there are any, are moved by `momentum`. */
export function instanceNorm(
  x: PyTensor,
  tensors: Tensors<'weight' | 'bias' | 'runningMean' | 'runningVar'>,
  attrs: { readonly momentum: number; readonly eps: number },
): PyTensor {
  const { weight, bias, runningMean, runningVar } = tensors;
  const channels = demandChannels('instance_norm', x, 3);
  if (numel(x.shape.slice(2)) <= 1) {
    throw raised(
      'ValueError',
      `instance_norm: expected more than 1 spatial element when training, got input size ${shapeText(x.shape)}`,
    );
  }
  demandPerChannel('instance_norm', channels, tensors);
  return emit(
    'instance_norm',
    [x, weight, bias, runningMean, runningVar],
    { ...attrs },
    x.shape,
    x.dtype,
  );
}

export function groupNorm(
  x: PyTensor,
  groups: number,
  tensors: Tensors<'weight' | 'bias'>,
  eps: number,
): PyTensor {
  const channels = demandChannels('group_norm', x, 2);
  if (channels % groups !== 0) {
    throw raised(
      'RuntimeError',
      `group_norm: ${channels} channels do not divide into ${groups} groups`,
    );
  }
  if (numel(x.shape) / groups <= 1) {
    throw raised(
      'ValueError',
      `group_norm: expected more than 1 value per group, got input size ${shapeText(x.shape)}`,
    );
  }
  demandPerChannel('group_norm', channels, tensors);
  const { weight, bias } = tensors;
  return emit('group_norm', [x, weight, bias], { num_groups: groups, eps }, x.shape, x.dtype);
}

export function layerNorm(
  x: PyTensor,
  normalizedShape: readonly number[],
  { weight, bias }: Tensors<'weight' | 'bias'>,
  eps: number,
): PyTensor {
  demandFloat('layer_norm', x, weight, bias);
  demandLastAxes('layer_norm', x, normalizedShape);
  demandShape('layer_norm', 'weight', weight, normalizedShape);
  demandShape('layer_norm', 'bias', bias, normalizedShape);
  const attrs = { normalized_shape: normalizedShape, eps };
  return emit('layer_norm', [x, weight, bias], attrs, x.shape, x.dtype);
}

/** The smallest step of float32 at 1: what rms_norm adds where no eps is given. */
const float32Epsilon = 2 ** -23;

export function rmsNorm(
  x: PyTensor,
  normalizedShape: readonly number[],
  weight: PyTensor | null,
  eps: number | null,
): PyTensor {
  demandFloat('rms_norm', x, weight);
  demandLastAxes('rms_norm', x, normalizedShape);
  demandShape('rms_norm', 'weight', weight, normalizedShape);
  const attrs = { normalized_shape: normalizedShape, eps: eps ?? float32Epsilon };
  return emit('rms_norm', [x, weight], attrs, x.shape, x.dtype);
}

export function localResponseNorm(
  x: PyTensor,
  attrs: {
    readonly size: number;
    readonly alpha: number;
    readonly beta: number;
    readonly k: number;
  },
): PyTensor {
  demandChannels('local_response_norm', x, 3);
  return emit('local_response_norm', [x], { ...attrs }, x.shape, x.dtype);
}

/** The number of channels of (N, C, …) with at least `rank` axes. */
function demandChannels(op: string, x: PyTensor, rank: number): number {
  demandFloat(op, x);
  if (x.shape.length >= rank) return x.shape[1]!;
  throw raised('RuntimeError', `${op}: input has shape ${shapeText(x.shape)}, (N, C, …) is needed`);
}

const roles = {
  weight: 'weight',
  bias: 'bias',
  runningMean: 'running_mean',
  runningVar: 'running_var',
} as const;

function demandPerChannel(
  op: string,
  channels: number,
  tensors: Partial<Tensors<keyof typeof roles>>,
): void {
  for (const [key, role] of Object.entries(roles)) {
    const tensor = tensors[key as keyof typeof roles] ?? null;
    demandFloat(op, tensor);
    demandShape(op, role, tensor, [channels]);
  }
}

function demandLastAxes(op: string, x: PyTensor, shape: readonly number[]): void {
  const fits = shape.length > 0 && x.shape.slice(-shape.length).join() === shape.join();
  if (fits && x.shape.length >= shape.length) return;
  throw raised(
    'RuntimeError',
    `${op}: normalized_shape is ${shapeText(shape)}, the input has shape ${shapeText(x.shape)}`,
  );
}
