import { standard, toStandard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { gatherRows } from './gather_rows.ts';

/** Below every number of a table; a bag without a row becomes zeros instead. */
const LOWEST = -3e38;

/**
 * Sums, means or maxima of a table's rows by bags. `member` (B, N) has a one where row n is in bag b;
 * a sum is then a matrix product. Rows at padding_idx are in no bag.
 */
export const embeddingBag: OpFunction<'embedding_bag'> = (
  [indices, weight, offsets, weights],
  { mode, padding_idx: padding },
) => {
  const flat = tf.reshape(toStandard(indices), [-1]);
  const rows = gatherRows(weight.tensor, flat, padding);
  const all = offsets ? byOffsets(offsets.tensor, flat.size) : byRows(indices.tensor);
  const member =
    padding === null ? all : tf.mul(all, tf.cast(tf.notEqual(flat, padding), 'float32'));
  if (mode === 'max') return standard(maxima(rows, member));
  const share = weights ? tf.mul(member, tf.reshape(weights.tensor, [1, -1])) : member;
  const sums = tf.matMul(share, rows);
  if (mode === 'sum') return standard(sums);
  return standard(tf.div(sums, tf.maximum(tf.sum(member, 1, true), 1)));
};

/** Each row of the indices (B, N) is a bag. */
function byRows(indices: tf.Tensor): tf.Tensor {
  const [bags, length] = indices.shape as [number, number];
  const bag = tf.expandDims(tf.range(0, bags, 1, 'int32'), 1);
  const of = tf.floorDiv(tf.range(0, bags * length, 1, 'int32'), tf.scalar(length, 'int32'));
  return tf.cast(tf.equal(bag, tf.expandDims(of, 0)), 'float32');
}

/** Bag b holds the places from its offset to the next one's. */
function byOffsets(offsets: tf.Tensor, length: number): tf.Tensor {
  const starts = tf.expandDims(offsets, 1);
  const ends = tf.concat([tf.slice(starts, [1, 0]), tf.fill([1, 1], length, 'int32')], 0);
  const places = tf.expandDims(tf.range(0, length, 1, 'int32'), 0);
  const isIn = tf.logicalAnd(tf.greaterEqual(places, starts), tf.less(places, ends));
  return tf.cast(isIn, 'float32');
}

/** The largest of each bag, column by column: rows (N, D), member (B, N). */
function maxima(rows: tf.Tensor, member: tf.Tensor): tf.Tensor {
  const isIn = tf.expandDims(member, 2);
  const outside = tf.mul(tf.sub(1, isIn), LOWEST);
  const largest = largestOf(tf.add(tf.mul(tf.expandDims(rows, 0), isIn), outside));
  const isFilled = tf.cast(tf.greater(tf.sum(member, 1, true), 0), 'float32');
  return tf.mul(largest, isFilled);
}

/** Maxima along axis 1. A row that is in a bag twice shares its gradient: the sum is that of one. */
const largestOf = tf.customGrad((x, save) => {
  const value = tf.max(x as tf.Tensor, 1);
  (save as tf.GradSaveFunc)([x as tf.Tensor, value]);
  const gradFunc = (dy: tf.Tensor, [all, largest]: tf.Tensor[]) => {
    const isLargest = tf.equal(all!, tf.expandDims(largest!, 1));
    const one = tf.where(isLargest, tf.onesLike(all!), tf.zerosLike(all!));
    return tf.mul(one, tf.expandDims(tf.div(dy, tf.sum(one, 1)), 1));
  };
  return { value, gradFunc };
});
