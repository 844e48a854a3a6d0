import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { everyNth, onAxis, padAxis } from './axis.ts';
import { alongDepth, fromPlanes, toPlanes, triple } from './planes.ts';

/** Smaller than every float32 that a network computes; −Infinity would make 0 · −Infinity = NaN. */
export const LOWEST = -3e38;

/**
 * Maximum over windows. Padding and ceil_mode become an explicit border of the lowest number: tfjs's
 * own gradient is wrong with ceil mode. Depth, and windows with gaps, go axis by axis.
 */
export const maxPool: OpFunction<'max_pool1d' | 'max_pool2d' | 'max_pool3d'> = (
  [x],
  attrs,
  { node },
) => {
  const kernel = triple(attrs.kernel_size, 1);
  const stride = triple(attrs.stride, 1);
  const padding = triple(attrs.padding, 0);
  const dilation = triple(attrs.dilation, 1);
  const output = triple(node.shape.slice(2), 1);
  const along = (axis: 0 | 1 | 2) => (line: tf.Tensor3D) => {
    // As far as the traced output reads; beyond the input there is border.
    const extent = dilation[axis] * (kernel[axis] - 1) + 1;
    const needed = (output[axis] - 1) * stride[axis] + extent;
    const after = Math.max(0, needed - line.shape[1] - padding[axis]);
    return padAxis(line, padding[axis], after, LOWEST);
  };
  const slide = (axis: 0 | 1 | 2) => (line: tf.Tensor3D) =>
    Array.from({ length: kernel[axis] }, (_, place) =>
      everyNth(line, place * dilation[axis], output[axis], stride[axis]),
    ).reduce((a, b) => tf.maximum(a, b));

  const stack = alongDepth(toPlanes(x), along(0));
  const tall = onAxis(stack.planes, 1, along(1));
  const bordered = onAxis(tall, 2, along(2));
  const planes =
    dilation[1] === 1 && dilation[2] === 1
      ? tf.maxPool(bordered, [kernel[1], kernel[2]], [stride[1], stride[2]], 'valid')
      : onAxis(onAxis(bordered, 2, slide(2)), 1, slide(1));
  const pooled = { planes, depth: stack.depth };
  return fromPlanes(
    kernel[0] === 1 && stride[0] === 1 ? pooled : alongDepth(pooled, slide(0)),
    x.tensor.rank,
  );
};
