/** The largest and smallest, where they lie, and orders. */
import { standard, toStandard, type Activation } from '../../activation.ts';
import { offTape } from '../../off_tape.ts';
import type { OpFunctions } from '../../op.ts';
import * as tf from '../../tf.ts';
import { choose } from '../elementwise/operands.ts';
import { indicator, withGradient } from '../elementwise/slope.ts';
import { alongLines, reduced } from './lines.ts';

type Kind = 'max' | 'min';

/** Over some axes, which are kept as 1; ties share the gradient. */
export function shared(kind: Kind, x: tf.Tensor, axes: number[]): tf.Tensor {
  const compute = (at: tf.Tensor): tf.Tensor => tf[kind](at, axes, true);
  if (x.dtype !== 'float32') return compute(x);
  return withGradient(
    [x],
    (at) => compute(at!),
    (dy, at) => {
      const isOne = indicator(tf.equal(at!, compute(at!)));
      return [tf.mul(tf.div(isOne, tf.sum(isOne, axes, true)), dy)];
    },
  );
}

/** Where the first of the largest or smallest lies along an axis; the first NaN is both. */
function place(kind: Kind, x: tf.Tensor, dim: number): tf.Tensor {
  if (x.rank === 0) return tf.scalar(0, 'int32');
  // Of a vector, WebGPU gives one element with an axis.
  const shape = x.shape.toSpliced(dim, 1);
  const index = tf.reshape((kind === 'max' ? tf.argMax : tf.argMin)(x, dim), shape);
  if (x.dtype !== 'float32') return offTape(index);
  // A bool that was cast keeps its bits on WebGPU, and a transposed copy of it is broken there.
  const marks = choose(tf.isNaN(x), tf.onesLike(x), tf.zerosLike(x));
  const first = tf.reshape(tf.argMax(marks, dim), shape);
  const hasNaN = tf.cast(tf.max(marks, dim), 'int32');
  const ordinary = tf.mul(index, tf.sub(tf.scalar(1, 'int32'), hasNaN));
  return offTape(tf.add(ordinary, tf.mul(first, hasNaN)));
}

/** Values and indices; the gradient goes to the index. */
function picked(kind: Kind, x: Activation, dim: number, keepdim: boolean): Activation[] {
  const input = toStandard(x);
  const index = place(kind, input, dim);
  const dims = input.rank === 0 ? [] : [dim];
  const compute = (at: tf.Tensor): tf.Tensor => tf[kind](at, dims);
  const value =
    input.dtype !== 'float32'
      ? compute(input)
      : withGradient(
          [input],
          (at) => compute(at!),
          (dy, at) => [at!.rank === 0 ? dy : atPlace(dy, place(kind, at!, dim), at!.shape, dim)],
        );
  const keep = (result: tf.Tensor): Activation =>
    standard(keepdim && input.rank > 0 ? tf.expandDims(result, dim) : result);
  return [keep(value), keep(index)];
}

/** dy at the index along an axis, 0 elsewhere. */
function atPlace(dy: tf.Tensor, index: tf.Tensor, shape: number[], dim: number): tf.Tensor {
  const size = shape[dim]!;
  const line = shape.map((_, axis) => (axis === dim ? size : 1));
  const count = tf.reshape(tf.range(0, size, 1, 'int32'), line);
  const isHere = indicator(tf.equal(count, tf.expandDims(index, dim)));
  return tf.mul(isHere, tf.expandDims(dy, dim));
}

/** WebGPU's integers are exact up to here. */
const MOST_ELEMENTS = 2 ** 24;

/** The k largest or smallest of each line, in order. */
function ordered(x: Activation, dim: number, k: number, largest: boolean): Activation[] {
  const input = toStandard(x);
  if (input.size > MOST_ELEMENTS) {
    throw new RangeError(`topk: ${input.size} elements, at most ${MOST_ELEMENTS} are possible`);
  }
  const places = (rows: tf.Tensor2D): tf.Tensor => {
    // Of single elements, WebGPU gives back the tensor itself, which then seems to need a gradient.
    if (rows.shape[1] === 1) return tf.zeros([rows.shape[0], k], 'int32');
    const { indices } = tf.topk(largest ? rows : tf.neg(rows), k, true);
    return offTape(indices);
  };
  const values = alongLines(input, dim, (rows) => {
    const [count, size] = rows.shape;
    const starts = tf.mul(
      tf.reshape(tf.range(0, count, 1, 'int32'), [-1, 1]),
      tf.scalar(size, 'int32'),
    );
    const flat = tf.add(places(rows), starts);
    return tf.gather(tf.reshape(rows, [-1]), flat as tf.Tensor2D);
  });
  return [standard(values), standard(alongLines(input, dim, places))];
}

export const extremes = {
  amax: ([x], { dims, keepdim }) =>
    reduced(x, dims, keepdim, (at, axes) => tf.squeeze(shared('max', at, axes), axes)),
  amin: ([x], { dims, keepdim }) =>
    reduced(x, dims, keepdim, (at, axes) => tf.squeeze(shared('min', at, axes), axes)),
  argmax: ([x], { dim, keepdim }) =>
    reduced(x, x.tensor.rank === 0 ? [] : [dim], keepdim, (at) => place('max', at, dim)),
  argmin: ([x], { dim, keepdim }) =>
    reduced(x, x.tensor.rank === 0 ? [] : [dim], keepdim, (at) => place('min', at, dim)),
  max: ([x], { dim, keepdim }) => picked('max', x, dim, keepdim),
  min: ([x], { dim, keepdim }) => picked('min', x, dim, keepdim),
  sort: ([x], { dim, descending }) => ordered(x, dim, toStandard(x).shape[dim] ?? 1, descending),
  topk: ([x], { dim, k, largest }) => ordered(x, dim, k, largest),
} satisfies OpFunctions;
