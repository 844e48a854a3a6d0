/** Choices between elements, and limits. */
import { standard } from '../../activation.ts';
import type { OpFunctions } from '../../op.ts';
import * as tf from '../../tf.ts';
import { tfDtype } from '../../tensors.ts';
import { aligned, choose, each } from './operands.ts';
import { indicator, withSlope } from './slope.ts';

/** x between two limits. Where it reaches one, the gradient is still x's. */
export function clamped(x: tf.Tensor, min: number, max: number): tf.Tensor {
  if (x.dtype !== 'float32') return limited(x, min, max);
  return withSlope(
    x,
    (at) => limited(at, min, max),
    (at) => tf.mul(indicator(tf.greaterEqual(at, min)), indicator(tf.lessEqual(at, max))),
  );
}

/** Where the limits cross, the upper one holds. */
export function limited(x: tf.Tensor, min: number, max: number): tf.Tensor {
  const above = min === -Infinity ? x : tf.maximum(x, tf.scalar(min, x.dtype));
  return max === Infinity ? tf.clone(above) : tf.minimum(above, tf.scalar(max, x.dtype));
}

export const choices = {
  clamp: ([x], { min, max }) => each(x, (at) => clamped(at, min ?? -Infinity, max ?? Infinity)),
  nan_to_num: ([x], { nan, posinf, neginf }) =>
    each(x, (at) => {
      const infinite = choose(tf.greater(at, 0), tf.scalar(posinf), tf.scalar(neginf));
      const finite = choose(tf.isInf(at), infinite, at);
      return choose(tf.isNaN(at), tf.scalar(nan), finite);
    }),
  where: ([condition, x, y], attrs, { node }) => {
    const dtype = tfDtype(node.dtype);
    const other = (given: typeof x, value: number) => given ?? standard(tf.scalar(value, dtype));
    const { tensors, layout } = aligned([condition, other(x, attrs.x), other(y, attrs.y)]);
    return { tensor: choose(tensors[0]!, tensors[1]!, tensors[2]!), layout };
  },
} satisfies OpFunctions;
