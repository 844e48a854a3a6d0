import * as tf from '../tf.ts';
import { last, toLast } from '../activation.ts';
import type { OpFunction } from '../op.ts';

/** Convolution without groups; torch's weight (O, C, kH, kW) as tfjs's filter (kH, kW, C, O). */
export const conv2d: OpFunction<'conv2d'> = ([x, weight, bias], attrs) => {
  const { stride, padding, dilation, groups } = attrs;
  if (groups !== 1) throw new RangeError(`conv2d: groups=${groups} is not supported`);
  if (dilation.some((step) => step !== 1)) {
    throw new RangeError(`conv2d: dilation=(${dilation.join(', ')}) is not supported`);
  }
  const filter = tf.transpose(weight.tensor, [2, 3, 1, 0]) as tf.Tensor4D;
  // A pad given as one number is silently wrong with unequal strides.
  const pads: [[0, 0], [number, number], [number, number], [0, 0]] = [
    [0, 0],
    [padding[0], padding[0]],
    [padding[1], padding[1]],
    [0, 0],
  ];
  const out = tf.conv2d(toLast(x), filter, [stride[0], stride[1]], pads);
  return last(bias ? tf.add(out, bias.tensor) : out);
};
