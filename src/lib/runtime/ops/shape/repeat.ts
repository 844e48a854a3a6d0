import { standard, toStandard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { expandTo, spread } from './blocks.ts';

export const expand: OpFunction<'expand'> = ([x], { shape }) =>
  standard(expandTo(toStandard(x), shape));

/** Each axis as a new axis of size 1 before it, which is repeated. */
export const repeat: OpFunction<'repeat'> = ([x], { repeats }, { node }) => {
  const input = toStandard(x);
  const sizes = [...new Array<number>(repeats.length - input.rank).fill(1), ...input.shape];
  let result: tf.Tensor = tf.reshape(input, sizes);
  repeats.forEach((times, axis) => {
    const { shape } = result;
    const single = tf.reshape(result, [...shape.slice(0, axis), 1, ...shape.slice(axis)]);
    const copies = spread(single, axis, times);
    result = tf.reshape(copies, shape.with(axis, shape[axis]! * times));
  });
  return standard(tf.reshape(result, [...node.shape]));
};

/** A new axis of size 1 behind the axis, which is repeated. */
export const repeatInterleave: OpFunction<'repeat_interleave'> = (
  [x],
  { repeats, dim },
  { node },
) => {
  const input = toStandard(x);
  const { shape } = input;
  const single = tf.reshape(input, [...shape.slice(0, dim + 1), 1, ...shape.slice(dim + 1)]);
  return standard(tf.reshape(spread(single, dim + 1, repeats), [...node.shape]));
};
