/**
 * Moves of elements along one axis. Whatever the rank, a tensor is seen as (before, axis, after):
 * tfjs pads and cuts gradients of three axes rightly everywhere, of five and six it does not, and
 * its gradient of tile takes a step for each copy.
 */
import * as tf from '../../tf.ts';

export type Sizes = readonly number[];

export function product(sizes: Sizes): number {
  return sizes.reduce((all, size) => all * size, 1);
}

/** Applies `run` to x as (before, axis, after). It may change the axis alone. */
export function along(
  x: tf.Tensor,
  axis: number,
  run: (block: tf.Tensor3D) => tf.Tensor,
): tf.Tensor {
  const [front, behind] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const block = tf.reshape(x, [product(front), x.shape[axis]!, product(behind)]) as tf.Tensor3D;
  const result = run(block);
  return tf.reshape(result, [...front, result.shape[1]!, ...behind]);
}

/** `size` neighbours along an axis. */
export function narrow(x: tf.Tensor, axis: number, start: number, size: number): tf.Tensor {
  if (size === x.shape[axis]) return x;
  return along(x, axis, (block) => tf.slice(block, [0, start, 0], [-1, size, -1]));
}

/** Zeros, or `value`, before and behind the elements of an axis. */
export function border(
  x: tf.Tensor,
  axis: number,
  before: number,
  after: number,
  value = 0,
): tf.Tensor {
  if (before === 0 && after === 0) return x;
  const pads: [number, number][] = [
    [0, 0],
    [before, after],
    [0, 0],
  ];
  return along(x, axis, (block) => tf.pad(block, pads, value));
}

/** Every `step`-th element of an axis from `start`, `size` of them. */
export function take(
  x: tf.Tensor,
  axis: number,
  start: number,
  size: number,
  step: number,
): tf.Tensor {
  if (step === 1 || size <= 1) return narrow(x, axis, start, size);
  // A row of `step` for each element that is taken; the last row may lack its end.
  const rest = x.shape[axis]! - start;
  const span = size * step;
  const part = narrow(x, axis, start, Math.min(span, rest));
  const rows = border(part, axis, 0, Math.max(0, span - rest));
  return along(rows, axis, (block) => {
    const [before, , after] = block.shape;
    const split = tf.reshape(block, [before * size, step, after]);
    const first = tf.slice(split, [0, 0, 0], [-1, 1, -1]);
    return tf.reshape(first, [before, size, after]);
  });
}

/** The way back of `take`: an axis of `length` with the elements at their places, zeros elsewhere. */
export function place(
  x: tf.Tensor,
  axis: number,
  start: number,
  step: number,
  length: number,
): tf.Tensor {
  const size = x.shape[axis]!;
  if (step === 1 || size <= 1) return border(x, axis, start, length - start - size);
  const spread = along(x, axis, (block) => {
    const [before, , after] = block.shape;
    const single = tf.reshape(block, [before * size, 1, after]);
    const rows = tf.pad(single, [
      [0, 0],
      [0, step - 1],
      [0, 0],
    ]);
    return tf.reshape(rows, [before, size * step, after]);
  });
  const fitting = narrow(spread, axis, 0, Math.min(size * step, length - start));
  return border(fitting, axis, start, length - start - fitting.shape[axis]!);
}

/** An axis of size 1 repeated; the gradient is the sum over the copies. */
export function spread(x: tf.Tensor, axis: number, count: number): tf.Tensor {
  if (count === 1) return x;
  const repeated = tf.customGrad((block) => ({
    value: tf.tile(block as tf.Tensor, [1, count, 1]),
    gradFunc: (dy: tf.Tensor) => tf.sum(dy, 1, true),
  }));
  return along(x, axis, (block) => repeated(block));
}

/** x with its axes of size 1, and missing ones in front, repeated to `shape`. */
export function expandTo(x: tf.Tensor, shape: Sizes): tf.Tensor {
  const missing = shape.length - x.rank;
  let result = tf.reshape(x, [...new Array<number>(missing).fill(1), ...x.shape]);
  shape.forEach((size, axis) => {
    if (result.shape[axis] !== size) result = spread(result, axis, size);
  });
  return result;
}

/** Parts side by side along an axis. */
export function join(parts: readonly tf.Tensor[], axis: number): tf.Tensor {
  const [first] = parts;
  if (parts.length === 1) return first!;
  const [front, behind] = [first!.shape.slice(0, axis), first!.shape.slice(axis + 1)];
  const blocks = parts.map((part) =>
    tf.reshape(part, [product(front), part.shape[axis]!, product(behind)]),
  );
  const joined = tf.concat(blocks, 1);
  return tf.reshape(joined, [...front, joined.shape[1]!, ...behind]);
}
