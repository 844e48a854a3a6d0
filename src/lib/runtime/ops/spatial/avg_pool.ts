import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { everyNth, onAxis, padAxis } from './axis.ts';
import { alongDepth, fromPlanes, toPlanes, triple, type Triple } from './planes.ts';

/**
 * Means over windows. The border is explicit, since the gradient of tfjs's own padding is wrong; the
 * means of whole windows are then corrected where fewer elements count.
 */
export const avgPool: OpFunction<'avg_pool1d' | 'avg_pool2d' | 'avg_pool3d'> = (
  [x],
  attrs,
  { node },
) => {
  const kernel = triple(attrs.kernel_size, 1);
  const stride = triple(attrs.stride, 1);
  const padding = triple(attrs.padding, 0);
  const input = toPlanes(x);
  const size: Triple = [input.depth, input.planes.shape[1], input.planes.shape[2]];
  const output = triple(node.shape.slice(2), 1);
  const bordered = (axis: 0 | 1 | 2) => (line: tf.Tensor3D) => {
    const needed = (output[axis] - 1) * stride[axis] + kernel[axis];
    return padAxis(line, padding[axis], Math.max(0, needed - size[axis] - padding[axis]));
  };

  const flat = onAxis(onAxis(input.planes, 1, bordered(1)), 2, bordered(2));
  const means = tf.avgPool(flat, [kernel[1], kernel[2]], [stride[1], stride[2]], 'valid');
  const pooled = alongDepth({ planes: means, depth: input.depth }, (stack) => {
    if (kernel[0] === 1 && stride[0] === 1) return stack;
    const long = bordered(0)(stack);
    const sum = Array.from({ length: kernel[0] }, (_, place) =>
      everyNth(long, place, output[0], stride[0]),
    ).reduce((a, b) => tf.add(a, b));
    return tf.div(sum, kernel[0]);
  });

  const axes = [0, 1, 2] as const;
  const factors = axes.map((axis) => {
    const window = { kernel: kernel[axis], stride: stride[axis], padding: padding[axis] };
    const counts = countsOf(window, size[axis], output[axis], attrs.count_include_pad);
    return counts.map((count) => kernel[axis] / count);
  });
  const whole = kernel[0] * kernel[1] * kernel[2];
  const planes =
    attrs.divisor_override === null
      ? scaled(pooled.planes, factors)
      : tf.mul<tf.Tensor4D>(pooled.planes, whole / attrs.divisor_override);
  return fromPlanes({ planes, depth: output[0] }, x.tensor.rank);
};

/** Planes times the product of what each axis has at its places. */
function scaled(
  planes: tf.Tensor4D,
  [depths, rows, columns]: readonly (readonly number[])[],
): tf.Tensor4D {
  if ([depths, rows, columns].every((factors) => factors!.every((factor) => factor === 1))) {
    return planes;
  }
  const factors = depths!.flatMap((a) => rows!.flatMap((b) => columns!.map((c) => a * b * c)));
  const [stacked, height, width, channels] = planes.shape;
  const batches = tf.reshape(planes, [stacked / depths!.length, factors.length, channels]);
  const product = tf.mul(batches, tf.tensor(factors, [factors.length, 1], 'float32'));
  return tf.reshape(product, [stacked, height, width, channels]);
}

/** Elements that count in each window of an axis (torch's AvgPoolKernel.cpp). */
function countsOf(
  { kernel, stride, padding }: Record<'kernel' | 'stride' | 'padding', number>,
  size: number,
  output: number,
  withPadding: boolean,
): number[] {
  return Array.from({ length: output }, (_, place) => {
    const start = place * stride - padding;
    const end = Math.min(start + kernel, size + padding);
    return withPadding ? end - start : Math.min(end, size) - Math.max(start, 0);
  });
}
