/**
 * One function per op of the graph. Each checks what PyTorch checks, works out the shape, and adds
 * the node; while the model is built, only the shape.
 */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import type { NodeId, Op, Ops, Pair } from '../graph.ts';
import { raised, unsupported } from '../python/errors.ts';
import { broadcast, inferShape, normalizeDim, windowed } from './shapes.ts';
import { PyTensor, shapeText, type Memory } from './tensor.ts';

type Attrs<K extends Op> = Ops[K]['attrs'];

/** Adds a node whose first input is `x`, or makes a tensor of the build. */
function emit<K extends Op>(
  op: K,
  x: PyTensor,
  others: readonly (PyTensor | null)[],
  attrs: Attrs<K>,
  shape: readonly number[],
  options: { memory?: Memory; dtype?: Dtype } = {},
): PyTensor {
  const { tracer } = x.session;
  const dtype = options.dtype ?? x.dtype;
  if (!tracer) return new PyTensor(x, shape, dtype, { ...options, madeBy: op });
  const inputs = [x, ...others].map((tensor): NodeId | null => tensor && tracer.nodeOf(tensor));
  const node = tracer.add(op, inputs as unknown as Ops[K]['inputs'], attrs, shape, dtype);
  return new PyTensor(x, shape, dtype, { ...options, traced: { tracer, node } });
}

/** How a message refers to a tensor: by its state_dict key, if it has one. */
function named(role: string, tensor: PyTensor): string {
  const key = tensor.session.tracer?.keyOf(tensor);
  return key === undefined ? role : `${role} "${key}"`;
}

function demandFloat(what: string, ...tensors: (PyTensor | null)[]): void {
  for (const tensor of tensors) {
    if (tensor && tensor.dtype !== 'float32') {
      throw raised('RuntimeError', `${what}: a tensor is ${tensor.dtype}, float32 is needed`);
    }
  }
}

function demandShape(
  what: string,
  role: string,
  tensor: PyTensor | null,
  shape: readonly number[],
): void {
  if (!tensor || tensor.shape.join() === shape.join()) return;
  throw raised(
    'RuntimeError',
    `${what}: ${named(role, tensor)} has shape ${shapeText(tensor.shape)}, ${shapeText(shape)} is needed`,
  );
}

/** Pooling and convolution of images: only with a batch axis. */
function demandImages(what: string, x: PyTensor): readonly [number, number, number, number] {
  demandFloat(what, x);
  const [n, c, h, w] = x.shape;
  if (x.shape.length === 4) return [n!, c!, h!, w!];
  const message = `${what}: input has shape ${shapeText(x.shape)}, (N, C, H, W) is needed`;
  // PyTorch also takes (C, H, W); the graph does not.
  throw x.shape.length === 3 ? unsupported(message) : raised('RuntimeError', message);
}

export function linear(x: PyTensor, weight: PyTensor, bias: PyTensor | null): PyTensor {
  demandFloat('linear', x, weight, bias);
  const [out, features] = weight.shape;
  if (weight.shape.length !== 2) {
    throw unsupported(`linear: ${named('weight', weight)} has shape ${shapeText(weight.shape)}`);
  }
  if (x.shape.at(-1) !== features) {
    throw raised(
      'RuntimeError',
      `linear: input has ${x.shape.at(-1) ?? 'no'} features, ${named('weight', weight)} takes ${features}`,
    );
  }
  demandShape('linear', 'bias', bias, [out!]);
  return emit('linear', x, [weight, bias], {}, [...x.shape.slice(0, -1), out!]);
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
  return emit('conv2d', x, [weight, bias], { stride, padding, dilation, groups }, [
    n,
    out!,
    ...size,
  ]);
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
    x,
    [weight, bias, runningMean, runningVar, batchesTracked],
    { ...attrs },
    x.shape,
  );
}

export function relu(x: PyTensor): PyTensor {
  demandFloat('relu', x);
  return emit('relu', x, [], {}, x.shape);
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
  return emit('max_pool2d', x, [], attrs, [n, c, ...size]);
}

/** `null` keeps the size of that axis. */
export function adaptiveAvgPool2d(
  x: PyTensor,
  size: readonly [number | null, number | null],
): PyTensor {
  const [n, c, h, w] = demandImages('adaptive_avg_pool2d', x);
  const output: Pair = [size[0] ?? h, size[1] ?? w];
  return emit('adaptive_avg_pool2d', x, [], { output_size: output }, [n, c, ...output]);
}

/** Not in training, PyTorch returns the input itself: the two may share memory. */
export function dropout(x: PyTensor, p: number, training: boolean): PyTensor {
  demandFloat('dropout', x);
  if (!(p >= 0 && p <= 1)) {
    throw raised('ValueError', `dropout: the probability has to be between 0 and 1, not ${p}`);
  }
  return emit('dropout', x, [], { p, training }, x.shape, { memory: x.memory });
}

export function softmax(op: 'softmax' | 'log_softmax', x: PyTensor, dim: number | null): PyTensor {
  demandFloat(op, x);
  const rank = x.shape.length;
  // Without a dim, PyTorch falls back on what it once did.
  const axis = dim === null ? (rank === 0 || rank === 1 || rank === 3 ? 0 : 1) : dim;
  return emit(op, x, [], { dim: normalizeDim(axis, rank, op) }, x.shape);
}

/** A view of the same elements. */
export function reshape(x: PyTensor, to: readonly number[], what: string): PyTensor {
  const shape = inferShape(x.shape, to, what);
  return emit('reshape', x, [], { shape }, shape, { memory: x.memory });
}

export function flatten(x: PyTensor, startDim: number, endDim: number): PyTensor {
  const rank = x.shape.length;
  const start = normalizeDim(startDim, rank, 'flatten');
  const end = normalizeDim(endDim, rank, 'flatten');
  if (start > end) {
    throw raised('RuntimeError', `flatten: start_dim ${startDim} comes after end_dim ${endDim}`);
  }
  if (rank === 0) return reshape(x, [1], 'flatten');
  const merged = numel(x.shape.slice(start, end + 1));
  return reshape(x, [...x.shape.slice(0, start), merged, ...x.shape.slice(end + 1)], 'flatten');
}

/** x + alpha · y. */
export function add(x: PyTensor, y: PyTensor, alpha: number): PyTensor {
  if (x.dtype !== y.dtype) {
    throw unsupported(`the sum of a ${x.dtype} and a ${y.dtype} tensor is not supported`);
  }
  const shape = broadcast(x.shape, y.shape, 'add');
  return emit('add', x, [y], { alpha, scalar: 0 }, shape);
}

export function addScalar(x: PyTensor, scalar: number): PyTensor {
  if (x.dtype !== 'float32') {
    throw unsupported(`the sum of a ${x.dtype} tensor and a number is not supported`);
  }
  return emit('add', x, [null], { alpha: 1, scalar }, x.shape);
}
