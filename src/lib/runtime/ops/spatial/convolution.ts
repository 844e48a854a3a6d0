import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { everyNth, padAxis } from './axis.ts';
import { convolvePlanes } from './convolve_planes.ts';
import { alongDepth, fromPlanes, toPlanes, triple, type Planes } from './planes.ts';

type Convolution = OpFunction<'conv1d' | 'conv2d' | 'conv3d'>;

/**
 * Convolution over one, two or three axes: torch's weight (O, C / groups, kD, kH, kW) as a filter of
 * planes for each place along the depth, whose results add up.
 */
export const convolution: Convolution = ([x, weight, bias], attrs) => {
  const [kernelDepth, ...kernel] = triple(weight.tensor.shape.slice(2), 1);
  const [strideDepth, ...stride] = triple(attrs.stride, 1);
  const [padDepth, padHeight, padWidth] = triple(attrs.padding, 0);
  const [dilationDepth, ...dilation] = triple(attrs.dilation, 1);
  const pads = [
    [padHeight, padHeight],
    [padWidth, padWidth],
  ] as const;
  const options = { stride, pads, dilation, groups: attrs.groups } as const;

  const input = toPlanes(x);
  const extent = dilationDepth * (kernelDepth - 1) + 1;
  const depth = Math.floor((input.depth + 2 * padDepth - extent) / strideDepth) + 1;
  const planesAt = (place: number): Planes =>
    alongDepth(input, (stack) =>
      everyNth(padAxis(stack, padDepth, padDepth), place * dilationDepth, depth, strideDepth),
    );
  const sum = filtersOf(weight.tensor, kernel)
    .map((filter, place) => convolvePlanes(planesAt(place).planes, filter, options))
    .reduce((a, b) => tf.add(a, b));
  return fromPlanes({ planes: bias ? tf.add(sum, bias.tensor) : sum, depth }, x.tensor.rank);
};

/** (kH, kW, C / groups, O) for each place along the depth. */
function filtersOf(weight: tf.Tensor, [height, width]: readonly [number, number]): tf.Tensor4D[] {
  const [out, perGroup] = weight.shape as [number, number];
  const shape: [number, number, number, number] = [height, width, perGroup, out];
  const taps = tf.transpose(tf.reshape(weight, [out, perGroup, -1]), [2, 1, 0]);
  const depth = taps.shape[0]! / (height * width);
  if (depth === 1) return [tf.reshape(taps, shape)];
  return tf.split(taps, depth, 0).map((plane) => tf.reshape(plane, shape));
}
