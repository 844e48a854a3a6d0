/** Moves along the middle axis of (outer, size, inner), made of ops whose gradients are right. */
import * as tf from '../../tf.ts';

/** `before` and `after` elements of `value` more; negative numbers cut. */
export function padAxis(x: tf.Tensor3D, before: number, after: number, value = 0): tf.Tensor3D {
  const [outer, size, inner] = x.shape;
  const start = Math.max(0, -before);
  const kept = size - start - Math.max(0, -after);
  const cut = kept === size ? x : tf.slice(x, [0, start, 0], [outer, kept, inner]);
  const [front, back] = [Math.max(0, before), Math.max(0, after)];
  return front + back === 0
    ? cut
    : tf.pad(
        cut,
        [
          [0, 0],
          [front, back],
          [0, 0],
        ],
        value,
      );
}

/** Every `step`-th element from `start`, `count` of them. The gradient of StridedSlice is missing. */
export function everyNth(x: tf.Tensor3D, start: number, count: number, step: number): tf.Tensor3D {
  const [outer, size, inner] = x.shape;
  if (start === 0 && count === size && step === 1) return x;
  const needed = start + count * step;
  const long = needed > size ? padAxis(x, 0, needed - size) : x;
  const run = tf.slice(long, [0, start, 0], [outer, count * step, inner]);
  if (step === 1) return run;
  const rows = tf.reshape(run, [outer, count, step, inner]);
  const firsts = tf.slice(rows, [0, 0, 0, 0], [outer, count, 1, inner]);
  return tf.reshape(firsts, [outer, count, inner]);
}

/** `step` − 1 zeros behind each element but the last. */
export function spreadAxis(x: tf.Tensor3D, step: number): tf.Tensor3D {
  if (step === 1) return x;
  const [outer, size, inner] = x.shape;
  const cells = tf.reshape(x, [outer * size, 1, inner]) as tf.Tensor3D;
  const spread = tf.reshape(padAxis(cells, 0, step - 1), [outer, size * step, inner]);
  return padAxis(spread as tf.Tensor3D, 0, 1 - step);
}

/** x (outer, size, inner) · matrix (size, places) along the middle axis. */
export function multiplyAxis(x: tf.Tensor3D, matrix: tf.Tensor2D): tf.Tensor3D {
  const [outer, size, inner] = x.shape;
  const places = matrix.shape[1];
  if (inner === 1) {
    return tf.reshape(tf.matMul(tf.reshape(x, [outer, size]), matrix), [outer, places, 1]);
  }
  const turned = tf.reshape(tf.transpose(x, [0, 2, 1]), [outer * inner, size]);
  const product = tf.matMul(turned as tf.Tensor2D, matrix);
  return tf.transpose(tf.reshape(product, [outer, inner, places]), [0, 2, 1]) as tf.Tensor3D;
}

/** Each element `times` times in a row. */
export function repeatAxis(x: tf.Tensor3D, times: number): tf.Tensor3D {
  if (times === 1) return x;
  const [outer, size, inner] = x.shape;
  const cells = tf.reshape(x, [outer * size, 1, inner]);
  return tf.reshape(tf.mul(cells, tf.ones([1, times, 1])), [outer, size * times, inner]);
}

/** Applies such a move to one axis of a tensor of any rank. */
export function onAxis<T extends tf.Tensor>(
  x: T,
  axis: number,
  move: (x: tf.Tensor3D) => tf.Tensor3D,
): T {
  const { shape } = x;
  const [before, after] = [shape.slice(0, axis), shape.slice(axis + 1)];
  const product = (sizes: number[]) => sizes.reduce((a, b) => a * b, 1);
  const moved = move(tf.reshape(x, [product(before), shape[axis]!, product(after)]));
  return tf.reshape(moved, [...before, moved.shape[1], ...after]) as T;
}
