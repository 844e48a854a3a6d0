import type { Ops, Pair } from '#lib/architecture/graph.ts';
import { standard, toStandard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { border, join, narrow, place, take } from './blocks.ts';
import { permuted } from './permute.ts';

/** (…, C · r², H, W) → (…, C, H · r, W · r) */
export const pixelShuffle: OpFunction<'pixel_shuffle'> = ([x], attrs, { node }) => {
  const r = attrs.upscale_factor;
  const [channels, height, width] = node.shape.slice(-3) as [number, number, number];
  const split = tf.reshape(toStandard(x), [-1, channels, r, r, height / r, width / r]);
  return standard(tf.reshape(permuted(split, [0, 1, 4, 2, 5, 3]), [...node.shape]));
};

/** (…, C, H · r, W · r) → (…, C · r², H, W) */
export const pixelUnshuffle: OpFunction<'pixel_unshuffle'> = ([x], attrs, { node }) => {
  const r = attrs.downscale_factor;
  const [channels, height, width] = node.shape.slice(-3) as [number, number, number];
  const split = tf.reshape(toStandard(x), [-1, channels / r ** 2, height, r, width, r]);
  return standard(tf.reshape(permuted(split, [0, 1, 3, 5, 2, 4]), [...node.shape]));
};

type Windows = Readonly<Ops['unfold']['attrs']>;

/** Rows and columns of windows, and where in a window each of its elements stands. */
function layoutOf({ kernel_size, dilation, padding, stride }: Windows, image: Pair) {
  const counts = [0, 1].map((axis) => {
    const extent = dilation[axis]! * (kernel_size[axis]! - 1) + 1;
    return Math.floor((image[axis]! + 2 * padding[axis]! - extent) / stride[axis]!) + 1;
  }) as [number, number];
  const offsets = Array.from({ length: kernel_size[0] * kernel_size[1] }, (_, at): Pair => [
    Math.floor(at / kernel_size[1]) * dilation[0],
    (at % kernel_size[1]) * dilation[1],
  ]);
  return { counts, offsets };
}

/** im2col: for each element of a window, that element of all windows. */
export const unfold: OpFunction<'unfold'> = ([x], windows, { node }) => {
  const { padding, stride } = windows;
  const input = toStandard(x);
  const [batch, channels, height, width] = input.shape as [number, number, number, number];
  const { counts, offsets } = layoutOf(windows, [height, width]);
  const padded = [0, 1].reduce(
    (image, axis) => border(image, 2 + axis, padding[axis]!, padding[axis]!),
    input,
  );
  const parts = offsets.map(([down, right]) => {
    const rows = take(padded, 2, down, counts[0], stride[0]);
    const part = take(rows, 3, right, counts[1], stride[1]);
    return tf.reshape(part, [batch, channels, 1, counts[0] * counts[1]]);
  });
  return standard(tf.reshape(join(parts, 2), [...node.shape]));
};

/** col2im: each element of the windows goes back to its place, and those that meet are added. */
export const fold: OpFunction<'fold'> = ([x], windows, { node }) => {
  const { output_size, padding, stride } = windows;
  const [batch, channels, height, width] = node.shape as [number, number, number, number];
  const { counts, offsets } = layoutOf(windows, output_size);
  const columns = tf.reshape(toStandard(x), [batch, channels, offsets.length, -1]);
  const sum = offsets
    .map(([down, right], at) => {
      const element = tf.reshape(narrow(columns, 2, at, 1), [batch, channels, ...counts]);
      const wide = place(element, 3, right, stride[1], width + 2 * padding[1]);
      return place(wide, 2, down, stride[0], height + 2 * padding[0]);
    })
    .reduce((a, b) => tf.add(a, b));
  return standard(narrow(narrow(sum, 2, padding[0], height), 3, padding[1], width));
};
