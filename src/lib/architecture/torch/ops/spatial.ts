/** Convolutions, pools and norms: over (N, C, …). */
import { numel } from '#lib/checkpoint/tensor.ts';
import type { Pair } from '../../graph.ts';
import { raised, unsupported } from '../../python/errors.ts';
import { demandFloat, demandShape, emit, named } from '../emit.ts';
import { windowed } from '../shapes.ts';
import { shapeText, type PyTensor } from '../tensor.ts';

/** Pooling and convolution of images: only with a batch axis. */
function demandImages(what: string, x: PyTensor): readonly [number, number, number, number] {
  demandFloat(what, x);
  const [n, c, h, w] = x.shape;
  if (x.shape.length === 4) return [n!, c!, h!, w!];
  const message = `${what}: input has shape ${shapeText(x.shape)}, (N, C, H, W) is needed`;
  // PyTorch also takes (C, H, W); the graph does not.
  throw x.shape.length === 3 ? unsupported(message) : raised('RuntimeError', message);
}

export interface Convolution {
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly groups: number;
}

export function conv2d(
  x: PyTensor,
  weight: PyTensor,
  bias: PyTensor | null,
  options: Convolution,
): PyTensor {
  const [n, channels, h, w] = demandImages('conv2d', x);
  demandFloat('conv2d', weight, bias);
  const [out, perGroup, kernelHeight, kernelWidth] = weight.shape;
  if (weight.shape.length !== 4) {
    throw raised(
      'RuntimeError',
      `conv2d: ${named('weight', weight)} has shape ${shapeText(weight.shape)}, 4 dimensions are needed`,
    );
  }
  if (channels !== perGroup! * options.groups) {
    throw raised(
      'RuntimeError',
      `conv2d: input has ${channels} channels, ${named('weight', weight)} takes ${perGroup! * options.groups}`,
    );
  }
  if (out! % options.groups !== 0) {
    throw raised(
      'RuntimeError',
      `conv2d: ${out} channels do not divide into ${options.groups} groups`,
    );
  }
  demandShape('conv2d', 'bias', bias, [out!]);
  const { stride, padding, dilation, groups } = options;
  const window = { kernel: [kernelHeight!, kernelWidth!] as const, stride, padding, dilation };
  const size = windowed([h, w], window, 'conv2d');
  return emit(
    'conv2d',
    [x, weight, bias],
    { stride, padding, dilation, groups },
    [n, out!, ...size],
    x.dtype,
  );
}

export interface BatchNorm {
  readonly training: boolean;
  readonly momentum: number | null;
  readonly eps: number;
}

export function batchNorm(
  x: PyTensor,
  tensors: Readonly<
    Record<'weight' | 'bias' | 'runningMean' | 'runningVar' | 'batchesTracked', PyTensor | null>
  >,
  attrs: BatchNorm,
): PyTensor {
  const { weight, bias, runningMean, runningVar, batchesTracked } = tensors;
  demandFloat('batch_norm', x, weight, bias, runningMean, runningVar);
  const channels = x.shape[1];
  if (channels === undefined) {
    throw raised(
      'RuntimeError',
      `batch_norm: input has shape ${shapeText(x.shape)}, (N, C, …) is needed`,
    );
  }
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
  for (const [role, tensor] of [
    ['weight', weight],
    ['bias', bias],
    ['running_mean', runningMean],
    ['running_var', runningVar],
  ] as const) {
    demandShape('batch_norm', role, tensor, [channels]);
  }
  return emit(
    'batch_norm',
    [x, weight, bias, runningMean, runningVar, batchesTracked],
    { ...attrs },
    x.shape,
    x.dtype,
  );
}

export interface MaxPool {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly ceil: boolean;
}

export function maxPool2d(x: PyTensor, options: MaxPool): PyTensor {
  const [n, c, h, w] = demandImages('max_pool2d', x);
  const { kernel, stride, padding, dilation, ceil } = options;
  if (padding[0] > kernel[0] / 2 || padding[1] > kernel[1] / 2) {
    throw raised(
      'RuntimeError',
      `max_pool2d: padding ${padding} is more than half of the kernel ${kernel}`,
    );
  }
  const size = windowed([h, w], options, 'max_pool2d', ceil);
  const attrs = { kernel_size: kernel, stride, padding, dilation, ceil_mode: ceil };
  return emit('max_pool2d', [x], attrs, [n, c, ...size], x.dtype);
}

/** `null` keeps the size of that axis. */
export function adaptiveAvgPool2d(
  x: PyTensor,
  size: readonly [number | null, number | null],
): PyTensor {
  const [n, c, h, w] = demandImages('adaptive_avg_pool2d', x);
  const output: Pair = [size[0] ?? h, size[1] ?? w];
  return emit('adaptive_avg_pool2d', [x], { output_size: output }, [n, c, ...output], x.dtype);
}
