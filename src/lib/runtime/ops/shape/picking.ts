/**
 * Index tensors become places in a table of rows: tfjs's gather and segment sums over the first axis
 * are right everywhere. A place is an int32; WebGPU rounds those beyond 2²⁴, so more rows are refused.
 */
import type { Activation } from '../../activation.ts';
import { toStandard } from '../../activation.ts';
import * as tf from '../../tf.ts';
import { expandTo, product, type Sizes } from './blocks.ts';

/** Integers up to here are exact on every backend. */
const maxRows = 2 ** 24;

export function checkRows(what: string, rows: number): void {
  if (rows <= maxRows) return;
  throw new RangeError(
    `${what}: ${rows} places to pick from, the backend's integers are exact up to ${maxRows}`,
  );
}

/** Indices as int32 numbers from 0; negative ones count from the end. */
function counted(index: Activation, size: number): tf.Tensor {
  const places = toStandard(index);
  return tf.where(
    tf.less(places, tf.scalar(0, 'int32')),
    tf.add(places, tf.scalar(size, 'int32')),
    places,
  );
}

/** The row of a table over the axes `sizes` that the indices, broadcast, name: one for each place. */
export function rowsOf(
  what: string,
  sizes: Sizes,
  indices: readonly Activation[],
): { rows: tf.Tensor1D; shape: number[] } {
  checkRows(what, product(sizes));
  const shape = indices.reduce<number[]>(
    (common, { tensor }) => tf.broadcast_util.assertAndGetBroadcastShape(common, tensor.shape),
    [],
  );
  const rows = indices
    .map((index, at) => {
      const stride = product(sizes.slice(at + 1));
      const places = expandTo(counted(index, sizes[at]!), shape);
      const flat = tf.reshape(places, [-1]);
      return stride === 1 ? flat : tf.mul(flat, tf.scalar(stride, 'int32'));
    })
    .reduce((a, b) => tf.add(a, b));
  return { rows: rows as tf.Tensor1D, shape };
}

/** Where the elements that torch.gather picks lie in the flattened x. */
export function placesAlong(what: string, x: Sizes, dim: number, index: tf.Tensor): tf.Tensor1D {
  checkRows(what, product(x));
  const strides = x.map((_, axis) => product(x.slice(axis + 1)));
  const offsets = index.shape.reduce<tf.Tensor>(
    (sum, size, axis) => {
      if (axis === dim || size === 1) return sum;
      const steps = Int32Array.from({ length: size }, (_, at) => at * strides[axis]!);
      const along = tf.tensor(steps, [size], 'int32');
      const shape = index.shape.map((_, at) => (at === axis ? size : 1));
      return tf.add(sum, tf.reshape(expandTo(tf.reshape(along, shape), index.shape), [-1]));
    },
    tf.zeros([index.size], 'int32'),
  );
  const own = tf.mul(tf.reshape(index, [-1]), tf.scalar(strides[dim]!, 'int32'));
  return tf.add(own, offsets) as tf.Tensor1D;
}

/**
 * A table with rows replaced by `values`, or with these added. Where several are for one row, one of
 * them wins, and it alone has a gradient.
 */
export function putRows(
  table: tf.Tensor2D,
  rows: tf.Tensor1D,
  values: tf.Tensor2D,
  add: boolean,
): tf.Tensor {
  const [count, width] = table.shape;
  if (add) {
    // WebGPU sums integers as if their bits were floats.
    const sums = tf.unsortedSegmentSum(tf.cast(values, 'float32'), rows, count);
    return tf.add(table, tf.cast(sums, table.dtype));
  }
  const none = tf.fill([count], -1, 'int32');
  const places = tf.range(0, rows.size, 1, 'int32');
  const winners = tf.tensorScatterUpdate(none, tf.reshape(rows, [-1, 1]), places);
  const isReplaced = tf.greaterEqual(winners, tf.scalar(0, 'int32'));
  const chosen = tf.gather(values, tf.maximum(winners, tf.scalar(0, 'int32')) as tf.Tensor1D);
  const condition = expandTo(tf.reshape(isReplaced, [count, 1]), [count, width]);
  return tf.where(condition, chosen, table);
}
