import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { onAxis, padAxis, spreadAxis } from './axis.ts';
import { convolvePlanes } from './convolve_planes.ts';
import { alongDepth, fromPlanes, toPlanes, triple } from './planes.ts';

type Transposed = OpFunction<'conv_transpose1d' | 'conv_transpose2d' | 'conv_transpose3d'>;

/**
 * Transposed convolution as the convolution that it is: the input with stride − 1 zeros between its
 * elements and a border, by the filter turned around. Groups and dilation are convolution's.
 */
export const convTranspose: Transposed = ([x, weight, bias], attrs) => {
  const kernel = triple(weight.tensor.shape.slice(2), 1);
  const stride = triple(attrs.stride, 1);
  const padding = triple(attrs.padding, 0);
  const extra = triple(attrs.output_padding, 0);
  const dilation = triple(attrs.dilation, 1);
  const bordered = (axis: 0 | 1 | 2) => (line: tf.Tensor3D) => {
    const border = dilation[axis] * (kernel[axis] - 1) - padding[axis];
    return padAxis(spreadAxis(line, stride[axis]), border, border + extra[axis]);
  };
  const stack = alongDepth(toPlanes(x), bordered(0));
  const planes = onAxis(onAxis(stack.planes, 1, bordered(1)), 2, bordered(2));
  const depth = stack.depth - dilation[0] * (kernel[0] - 1);
  const options = {
    stride: [1, 1],
    pads: [
      [0, 0],
      [0, 0],
    ],
    dilation: [dilation[1], dilation[2]],
    groups: attrs.groups,
  } as const;
  const sum = filtersOf(weight.tensor, kernel, attrs.groups)
    .map((filter, place) => {
      const start = place * dilation[0];
      const part = alongDepth({ planes, depth: stack.depth }, (line) =>
        padAxis(line, -start, start + depth - stack.depth),
      );
      return convolvePlanes(part.planes, filter, options);
    })
    .reduce((a, b) => tf.add(a, b));
  return fromPlanes({ planes: bias ? tf.add(sum, bias.tensor) : sum, depth }, x.tensor.rank);
};

/** torch's (C, O / groups, kD, kH, kW), turned around, as (kH, kW, C / groups, O) for each depth. */
function filtersOf(
  weight: tf.Tensor,
  [depth, height, width]: readonly [number, number, number],
  groups: number,
): tf.Tensor4D[] {
  const [channels, each] = weight.shape as [number, number];
  const taps = depth * height * width;
  const turned = tf.reverse(tf.reshape(weight, [groups, channels / groups, each, taps]), 3);
  const ordered = tf.transpose(turned, [3, 1, 0, 2]); // taps, C / groups, groups, O / groups
  const shape: [number, number, number, number] = [height, width, channels / groups, each * groups];
  if (depth === 1) return [tf.reshape(ordered, shape)];
  return tf
    .split(tf.reshape(ordered, [depth, -1]), depth, 0)
    .map((plane) => tf.reshape(plane, shape));
}
