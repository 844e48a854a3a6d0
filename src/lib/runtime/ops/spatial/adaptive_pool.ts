import { fromPlanes, alongDepth, toPlanes, triple, type Planes } from './planes.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { multiplyAxis, onAxis } from './axis.ts';

type Pool<Kind extends string> = `adaptive_${Kind}_pool${1 | 2 | 3}d`;

/**
 * Window `place` of `places` (torch's AdaptivePooling.h): it covers ⌊place · size / places⌋ up to
 * ⌈(place + 1) · size / places⌉.
 */
function windowOf(place: number, places: number, size: number): { start: number; end: number } {
  const start = Math.floor((place * size) / places);
  return { start, end: Math.ceil(((place + 1) * size) / places) };
}

/** Means over as many windows as the output has places. */
export const adaptiveAvgPool: OpFunction<Pool<'avg'>> = ([x], { output_size }) => {
  const input = toPlanes(x);
  const output = triple(output_size, 1);
  const means = (axis: 0 | 1 | 2) => (line: tf.Tensor3D) => {
    const size = line.shape[1];
    return size === output[axis] ? line : multiplyAxis(line, meanMatrix(size, output[axis]));
  };
  return fromPlanes(pooled(input, output, tf.avgPool, means), x.tensor.rank);
};

/** (size, places): column i averages its window. */
function meanMatrix(size: number, places: number): tf.Tensor2D {
  const weights = new Float32Array(size * places);
  for (let place = 0; place < places; place++) {
    const { start, end } = windowOf(place, places, size);
    for (let at = start; at < end; at++) weights[at * places + place] = 1 / (end - start);
  }
  return tf.tensor2d(weights, [size, places]);
}

/** Maxima over as many windows as the output has places. */
export const adaptiveMaxPool: OpFunction<Pool<'max'>> = ([x], { output_size }) => {
  const input = toPlanes(x);
  const output = triple(output_size, 1);
  const maxima = (axis: 0 | 1 | 2) => (line: tf.Tensor3D) => maximaOf(line, output[axis]);
  return fromPlanes(pooled(input, output, tf.maxPool, maxima), x.tensor.rank);
};

/**
 * The maximum of each window of the middle axis. Windows that are shorter than the longest repeat
 * their last element; `maximum` gives the gradient to the first of equals, as torch does.
 */
function maximaOf(line: tf.Tensor3D, places: number): tf.Tensor3D {
  const size = line.shape[1];
  if (size === places) return line;
  const windows = Array.from({ length: places }, (_, place) => windowOf(place, places, size));
  const longest = Math.max(...windows.map(({ start, end }) => end - start));
  return Array.from({ length: longest }, (_, at) => {
    const indices = windows.map(({ start, end }) => Math.min(start + at, end - 1));
    return tf.gather(line, tf.tensor1d(indices, 'int32'), 1);
  }).reduce((a, b) => tf.maximum(a, b));
}

type PlanePool = typeof tf.avgPool;
type Axis = (axis: 0 | 1 | 2) => (line: tf.Tensor3D) => tf.Tensor3D;

/** Equal windows of a plane are a plain pool; everything else goes axis by axis. */
function pooled(
  input: Planes,
  output: readonly [number, number, number],
  pool: PlanePool,
  along: Axis,
): Planes {
  const [, height, width] = input.planes.shape;
  const isEven = height % output[1] === 0 && width % output[2] === 0;
  const window: [number, number] = [height / output[1], width / output[2]];
  const planes = isEven
    ? pool(input.planes, window, window, 'valid')
    : onAxis(onAxis(input.planes, 2, along(2)), 1, along(1));
  return alongDepth({ planes, depth: input.depth }, along(0));
}
