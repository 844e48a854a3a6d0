import { last, toLast } from '../../activation.ts';
import type { Pair } from '#lib/architecture/graph.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';

/** Convolution: torch's weight (O, C / groups, kH, kW) as tfjs's filter (kH, kW, C / groups, O). */
export const conv2d: OpFunction<'conv2d'> = ([x, weight, bias], attrs) => {
  const { groups } = attrs;
  const [stride, padding, dilation] = [attrs.stride, attrs.padding, attrs.dilation] as Pair[] as [
    Pair,
    Pair,
    Pair,
  ];
  // A pad given as one number is silently wrong with unequal strides.
  const pads: [[0, 0], [number, number], [number, number], [0, 0]] = [
    [0, 0],
    [padding[0], padding[0]],
    [padding[1], padding[1]],
    [0, 0],
  ];
  const filter = spread(tf.transpose(weight.tensor, [2, 3, 1, 0]) as tf.Tensor4D, dilation);
  const convolve = (input: tf.Tensor4D, kernel: tf.Tensor4D) =>
    tf.conv2d(input, kernel, [stride[0], stride[1]], pads);
  const input = toLast(x);
  const out = groups === 1 ? convolve(input, filter) : grouped(input, filter, groups, convolve);
  return last(bias ? tf.add(out, bias.tensor) : out);
};

/** Each group of input channels by its own part of the filter; tfjs has no gradient for groups. */
function grouped(
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

/** A dilated filter with its zeros written out; tfjs has no gradient for dilation. */
function spread(filter: tf.Tensor4D, dilation: readonly [number, number]): tf.Tensor4D {
  if (dilation[0] === 1 && dilation[1] === 1) return filter;
  const [height, width, inputs, outputs] = filter.shape;
  const rows = (height - 1) * dilation[0] + 1;
  const columns = (width - 1) * dilation[1] + 1;
  const tall = tf.matMul(spreadMatrix(height, dilation[0]), tf.reshape(filter, [height, -1]));
  const turned = tf.transpose(tf.reshape(tall, [rows, width, inputs * outputs]), [1, 0, 2]);
  const wide = tf.matMul(spreadMatrix(width, dilation[1]), tf.reshape(turned, [width, -1]));
  const back = tf.transpose(tf.reshape(wide, [columns, rows, inputs * outputs]), [1, 0, 2]);
  return tf.reshape(back, [rows, columns, inputs, outputs]);
}

/** (spread size, size): puts element i at place i · step. */
function spreadMatrix(size: number, step: number): tf.Tensor2D {
  const rows = (size - 1) * step + 1;
  const ones = new Float32Array(rows * size);
  for (let at = 0; at < size; at++) ones[at * step * size + at] = 1;
  return tf.tensor2d(ones, [rows, size]);
}
