/** Elements regrouped in blocks and windows of images. */
import { numel } from '#lib/checkpoint/tensor.ts';
import type { Ops, Pair } from '../../graph.ts';
import { raised, unsupported } from '../../python/errors.ts';
import { demandFloat, emit, hostTensor } from '../emit.ts';
import { windowed } from '../shapes.ts';
import { shapeText, type PyTensor } from '../tensor.ts';
import { indexSelect } from './picking.ts';
import { axisOf, permute, reshape } from './shape.ts';

/** (…, C · r², H, W) → (…, C, H · r, W · r) */
export function pixelShuffle(x: PyTensor, factor: number): PyTensor {
  const [channels, height, width] = imageOf('pixel_shuffle', x);
  if (factor < 1 || channels % factor ** 2 !== 0) {
    throw raised(
      'RuntimeError',
      `pixel_shuffle: ${channels} channels do not divide by the square of upscale_factor ${factor}`,
    );
  }
  const shape = [...x.shape.slice(0, -3), channels / factor ** 2, height * factor, width * factor];
  return emit('pixel_shuffle', [x], { upscale_factor: factor }, shape, x.dtype);
}

/** (…, C, H · r, W · r) → (…, C · r², H, W) */
export function pixelUnshuffle(x: PyTensor, factor: number): PyTensor {
  const [channels, height, width] = imageOf('pixel_unshuffle', x);
  if (factor < 1 || height % factor !== 0 || width % factor !== 0) {
    throw raised(
      'RuntimeError',
      `pixel_unshuffle: an image of ${height} × ${width} does not divide by downscale_factor ${factor}`,
    );
  }
  const shape = [...x.shape.slice(0, -3), channels * factor ** 2, height / factor, width / factor];
  return emit('pixel_unshuffle', [x], { downscale_factor: factor }, shape, x.dtype);
}

function imageOf(what: string, x: PyTensor): [number, number, number] {
  const [channels, height, width] = x.shape.slice(-3);
  if (width !== undefined) return [channels!, height!, width];
  throw raised(
    'RuntimeError',
    `${what}: input has shape ${shapeText(x.shape)}, (…, C, H, W) is needed`,
  );
}

/** Channels of `groups` groups, one of each in turn. */
export function channelShuffle(x: PyTensor, groups: number): PyTensor {
  const [batch, channels, ...image] = x.shape;
  if (image.length === 0 || groups < 1 || channels! % groups !== 0) {
    throw raised(
      'RuntimeError',
      `channel_shuffle: input ${shapeText(x.shape)} does not divide into ${groups} groups`,
    );
  }
  const grouped = reshape(x, [batch!, groups, channels! / groups, ...image], 'channel_shuffle');
  const axes = image.map((_, axis) => axis + 3);
  return reshape(permute(grouped, [0, 2, 1, ...axes]), x.shape, 'channel_shuffle');
}

/** Tensor.unfold: windows of an axis, their elements as a new last axis. */
export function unfoldAxis(x: PyTensor, dim: number, size: number, step: number): PyTensor {
  const axis = axisOf(x, dim, 'unfold');
  const all = x.shape[axis]!;
  if (size < 0 || size > all || step < 1) {
    throw raised(
      'RuntimeError',
      `unfold: windows of ${size} with step ${step} do not fit dimension ${axis} of size ${all}`,
    );
  }
  const count = Math.floor((all - size) / step) + 1;
  const places = hostTensor(x, 'unfold', [count * size], 'int64', () =>
    Float64Array.from(
      { length: count * size },
      (_, at) => Math.floor(at / size) * step + (at % size),
    ),
  );
  const picked = indexSelect(x, axis, places);
  const split = reshape(picked, x.shape.toSpliced(axis, 1, count, size), 'unfold');
  const others = split.shape.map((_, at) => at).filter((at) => at !== axis + 1);
  return permute(split, [...others, axis + 1], 'unfold');
}

export type Windows = Ops['unfold']['attrs'];

/** im2col: (N, C, H, W) → (N, C · kH · kW, L) */
export function unfold(x: PyTensor, windows: Windows): PyTensor {
  demandFloat('unfold', x);
  const [batch, channels, ...image] = x.shape;
  if (x.shape.length !== 4) {
    const message = `unfold: input has shape ${shapeText(x.shape)}, (N, C, H, W) is needed`;
    // PyTorch also takes (C, H, W); the graph does not.
    throw x.shape.length === 3 ? unsupported(message) : raised('RuntimeError', message);
  }
  const shape = [
    batch!,
    channels! * numel(windows.kernel_size),
    windowCount(image, windows, 'unfold'),
  ];
  return emit('unfold', [x], windows, shape, x.dtype);
}

/** col2im: (N, C · kH · kW, L) → (N, C, H, W), the sum over overlapping windows. */
export function fold(x: PyTensor, outputSize: Pair, windows: Windows): PyTensor {
  demandFloat('fold', x);
  const [batch, columns, length] = x.shape;
  if (x.shape.length !== 3) {
    const message = `fold: input has shape ${shapeText(x.shape)}, (N, C · kH · kW, L) is needed`;
    throw x.shape.length === 2 ? unsupported(message) : raised('RuntimeError', message);
  }
  const elements = numel(windows.kernel_size);
  const count = windowCount(outputSize, windows, 'fold');
  if (columns! % elements !== 0 || count !== length) {
    throw raised(
      'RuntimeError',
      `fold: input has shape ${shapeText(x.shape)}, a multiple of ${elements} rows and ${count} columns are needed`,
    );
  }
  const shape = [batch!, columns! / elements, ...outputSize];
  return emit('fold', [x], { output_size: outputSize, ...windows }, shape, x.dtype);
}

function windowCount(image: readonly number[], windows: Windows, what: string): number {
  const { kernel_size: kernel, stride, padding, dilation } = windows;
  return numel(windowed(image, { kernel, stride, padding, dilation }, what));
}
