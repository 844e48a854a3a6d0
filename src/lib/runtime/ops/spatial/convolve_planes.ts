/**
 * Convolution of (N, H, W, C) by a filter (kH, kW, C / groups, O), with the defects of tfjs's own
 * worked round: it has no gradient for groups and dilation, and a pad given as one number is
 * silently wrong with unequal strides.
 */
import type { Pair } from '#lib/architecture/graph.ts';
import * as tf from '../../tf.ts';
import { onAxis, spreadAxis } from './axis.ts';

export interface PlaneConvolution {
  readonly stride: Pair;
  /** [before, after] of height and width. */
  readonly pads: readonly [Pair, Pair];
  readonly dilation: Pair;
  readonly groups: number;
}

/**
 * Numbers that a grouped convolution may write between its two steps: 64 MB, next to nothing for a
 * GPU, and enough for every ResNeXt. What needs more is cut into groups.
 */
const BETWEEN_LIMIT = 2 ** 24;

export function convolvePlanes(
  input: tf.Tensor4D,
  kernel: tf.Tensor4D,
  { stride, pads, dilation, groups }: PlaneConvolution,
): tf.Tensor4D {
  const explicit: [[number, number], [number, number], [number, number], [number, number]] = [
    [0, 0],
    [...pads[0]],
    [...pads[1]],
    [0, 0],
  ];
  const steps: [number, number] = [...stride];
  const filter = spreadFilter(kernel, dilation);
  const plain = (part: tf.Tensor4D, by: tf.Tensor4D) => tf.conv2d(part, by, steps, explicit);
  if (groups === 1) return plain(input, filter);
  const [, , perGroup, out] = filter.shape;
  const [batch, height, width] = input.shape;
  const between = (batch * height * width * perGroup * out) / (stride[0] * stride[1]);
  if (perGroup > 1 && (groups <= 2 || between > BETWEEN_LIMIT)) {
    return byGroups(input, filter, groups, plain);
  }
  const depthwise = (by: tf.Tensor4D) => tf.depthwiseConv2d(input, by, steps, explicit);
  return byChannels(filter, groups, depthwise);
}

/** A dilated filter with its zeros written out. */
function spreadFilter(filter: tf.Tensor4D, dilation: Pair): tf.Tensor4D {
  if (dilation[0] === 1 && dilation[1] === 1) return filter;
  const tall = onAxis(filter, 0, (x) => spreadAxis(x, dilation[0]));
  return onAxis(tall, 1, (x) => spreadAxis(x, dilation[1]));
}

/** Each channel by itself, and then the sum of each group: two steps for any number of groups. */
function byChannels(
  filter: tf.Tensor4D,
  groups: number,
  depthwise: (filter: tf.Tensor4D) => tf.Tensor4D,
): tf.Tensor4D {
  const [height, width, perGroup, out] = filter.shape;
  const each = out / groups;
  const flat = tf.reshape(filter, [height * width, perGroup, groups, each]);
  const ordered = perGroup === 1 ? flat : tf.transpose(flat, [0, 2, 1, 3]);
  const products = depthwise(tf.reshape(ordered, [height, width, groups * perGroup, each]));
  if (perGroup === 1) return products;
  const [batch, rows, columns] = products.shape;
  const sums = tf.sum(tf.reshape(products, [batch * rows * columns * groups, perGroup, each]), 1);
  return tf.reshape(sums, [batch, rows, columns, out]);
}

/** Each group of input channels by its own part of the filter. */
function byGroups(
  input: tf.Tensor4D,
  filter: tf.Tensor4D,
  groups: number,
  convolve: (input: tf.Tensor4D, filter: tf.Tensor4D) => tf.Tensor4D,
): tf.Tensor4D {
  const inputs = tf.split<tf.Tensor4D>(input, groups, 3);
  const filters = tf.split<tf.Tensor4D>(filter, groups, 3);
  return tf.concat(
    inputs.map((part, group) => convolve(part, filters[group]!)),
    3,
  );
}
