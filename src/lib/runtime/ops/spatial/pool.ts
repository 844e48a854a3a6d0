import * as tf from '../../tf.ts';
import { last, standard, toLast, toStandard } from '../../activation.ts';
import type { Pair } from '#lib/architecture/graph.ts';
import type { OpFunction } from '../../op.ts';

/** Smaller than every float32 that a network computes; −Infinity would make 0 · −Infinity = NaN. */
const LOWEST = -3e38;

/**
 * Maximum over windows. Padding and ceil_mode become an explicit border of the lowest number:
 * tfjs's own gradient is wrong with ceil mode.
 */
export const maxPool2d: OpFunction<'max_pool2d'> = ([x], attrs, { node }) => {
  const { kernel_size: kernel, stride, padding, dilation } = attrs;
  if (dilation.some((step) => step !== 1)) {
    throw new RangeError(`max_pool2d: dilation=(${dilation.join(', ')}) is not supported`);
  }
  const input = toLast(x);
  // As many rows and columns as the traced output reads; beyond the input they are border.
  const borders = [0, 1].map((axis) => {
    const needed = (node.shape[2 + axis]! - 1) * stride[axis]! + kernel[axis]!;
    const size = input.shape[1 + axis]!;
    return [padding[axis]!, Math.max(0, needed - size - padding[axis]!)] as [number, number];
  });
  const bordered = borders.flat().some((border) => border > 0)
    ? tf.pad(input, [[0, 0], ...borders, [0, 0]], LOWEST)
    : input;
  return last(
    tf.maxPool(
      bordered as tf.Tensor4D,
      [...kernel] as [number, number],
      [...stride] as [number, number],
      'valid',
    ),
  );
};

/**
 * Means over as many windows as the output has places. Window i of n covers
 * ⌊i·size/n⌋ … ⌈(i+1)·size/n⌉ (torch's AdaptiveAveragePooling.h). Equal windows are a plain pool,
 * others two matrix products.
 */
export const adaptiveAvgPool2d: OpFunction<'adaptive_avg_pool2d'> = ([x], { output_size }) => {
  const [rows, columns] = output_size as Pair;
  const input = toLast(x);
  const [, height, width] = input.shape;
  if (height % rows === 0 && width % columns === 0) {
    const window: [number, number] = [height / rows, width / columns];
    return last(tf.avgPool(input, window, window, 'valid'));
  }
  const image = toStandard(x);
  const [batch, channels] = image.shape as [number, number];
  const across = tf.matMul(tf.reshape(image, [-1, width]), poolMatrix(width, columns));
  const turned = tf.transpose(tf.reshape(across, [batch, channels, height, columns]), [0, 1, 3, 2]);
  const down = tf.matMul(tf.reshape(turned, [-1, height]), poolMatrix(height, rows));
  const pooled = tf.reshape(down, [batch, channels, columns, rows]);
  return standard(tf.transpose(pooled, [0, 1, 3, 2]));
};

/** (size, places): column i averages its window. */
function poolMatrix(size: number, places: number): tf.Tensor2D {
  const weights = new Float32Array(size * places);
  for (let place = 0; place < places; place++) {
    const start = Math.floor((place * size) / places);
    const end = Math.ceil(((place + 1) * size) / places);
    for (let at = start; at < end; at++) weights[at * places + place] = 1 / (end - start);
  }
  return tf.tensor2d(weights, [size, places]);
}
