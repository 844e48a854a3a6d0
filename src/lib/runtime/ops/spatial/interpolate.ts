import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { adaptiveAvgPool } from './adaptive_pool.ts';
import { multiplyAxis, onAxis, repeatAxis } from './axis.ts';
import { alongDepth, fromPlanes, toPlanes, triple } from './planes.ts';
import { tapsOf, type Taps } from './taps.ts';

/**
 * Resampling axis by axis, as products with interpolation matrices: the gradients of tfjs's own
 * resizing are wrong, and it knows none but images.
 */
export const interpolate: OpFunction<'interpolate'> = ([x], attrs, context) => {
  const { mode, align_corners: alignCorners, antialias, scales } = attrs;
  const size = context.node.shape.slice(2);
  if (mode === 'area') return adaptiveAvgPool([x], { output_size: size }, context);
  const output = triple(size, 1);
  const factors = [null, null, null, ...scales].slice(-3);
  const along = (axis: 0 | 1 | 2) => (line: tf.Tensor3D) => {
    const length = line.shape[1];
    const factor = factors[axis]!;
    const taps = tapsOf(length, output[axis], { mode, alignCorners, antialias, factor });
    const repeats = repeatsOf(taps, length);
    return repeats ? repeatAxis(line, repeats) : multiplyAxis(line, matrixOf(taps, length));
  };
  const stack = alongDepth(toPlanes(x), along(0));
  const planes = onAxis(onAxis(stack.planes, 1, along(1)), 2, along(2));
  return fromPlanes({ planes, depth: stack.depth }, x.tensor.rank);
};

/** How often each element comes in a row, where that is all that happens; else 0. */
function repeatsOf({ places }: Taps, size: number): number {
  const times = places.length / size;
  const repeated = places.every(
    (taps, place) =>
      taps.length > 0 &&
      taps.every(
        ([index, weight]) => weight === 0 || (weight === 1 && index === Math.floor(place / times)),
      ),
  );
  return Number.isInteger(times) && repeated ? times : 0;
}

/** (size, places) */
function matrixOf({ places }: Taps, size: number): tf.Tensor2D {
  const weights = new Float32Array(size * places.length);
  places.forEach((taps, place) => {
    for (const [index, weight] of taps) weights[index * places.length + place]! += weight;
  });
  return tf.tensor2d(weights, [size, places.length]);
}
