/** Rows of a table by index, with a gradient that is the same in every run. */
import * as tf from '../../tf.ts';
import { hotRows } from './one_hot.ts';

/** Elements of a one-hot matrix: 128 MiB, what WebGPU lets a kernel bind without asking for more. */
const MOST_ONE_HOT = 2 ** 25;

/**
 * weight (V, D) by indices (N) as (N, D). Rows at `padding` get no gradient. An index outside of the
 * table throws on cpu; on a GPU, which cannot throw, its row becomes NaN instead of zeros.
 */
export function gatherRows(
  weight: tf.Tensor,
  indices: tf.Tensor,
  padding: number | null = null,
): tf.Tensor {
  return pickRows(weight, indices, { padding, marksOutside: tf.getBackend() !== 'cpu' });
}

/**
 * tf.gather of the rows of a float table (V, D), whose gradient is added up in one order, too, as
 * long as a one-hot matrix of the indices is no larger than a kernel may bind.
 */
export function gatherInOrder(table: tf.Tensor, indices: tf.Tensor1D): tf.Tensor {
  const isLarge = indices.size * table.shape[0]! > MOST_ONE_HOT;
  if (isLarge || table.dtype !== 'float32') return tf.gather(table, indices);
  return pickRows(table, indices, { padding: null, marksOutside: false });
}

function pickRows(
  weight: tf.Tensor,
  indices: tf.Tensor,
  { padding, marksOutside }: { padding: number | null; marksOutside: boolean },
): tf.Tensor {
  const [rows] = weight.shape as [number, number];
  const gather = tf.customGrad((table, at, save) => {
    (save as tf.GradSaveFunc)([at as tf.Tensor]);
    const found = tf.gather(table as tf.Tensor, at as tf.Tensor1D);
    return {
      value: marksOutside ? tf.mul(found, withinTable(at as tf.Tensor, rows)) : found,
      gradFunc: (dy: tf.Tensor, [saved]: tf.Tensor[]) => {
        const index = saved as tf.Tensor1D;
        return [scatterRows(withoutPadding(dy, index, padding), index, rows), tf.zerosLike(index)];
      },
    };
  });
  return gather(weight, indices);
}

/** (N, 1): one, or NaN where an index is outside of the table. */
function withinTable(indices: tf.Tensor, rows: number): tf.Tensor {
  const within = tf.logicalAnd(tf.greaterEqual(indices, 0), tf.less(indices, rows));
  const ones = tf.onesLike(tf.cast(indices, 'float32'));
  return tf.expandDims(tf.where(within, ones, tf.fill(indices.shape, Number.NaN)), 1);
}

function withoutPadding(dy: tf.Tensor, indices: tf.Tensor1D, padding: number | null): tf.Tensor {
  if (padding === null) return dy;
  return tf.mul(dy, tf.expandDims(tf.cast(tf.notEqual(indices, padding), 'float32'), 1));
}

/**
 * Sums the rows of dy (N, D) at their indices, into (rows, D). On a GPU tfjs adds them with atomics,
 * in an order that differs from run to run; a product with the indices' one-hot matrix does not,
 * and costs about as much as the output layer over the same vocabulary.
 */
function scatterRows(dy: tf.Tensor, indices: tf.Tensor1D, rows: number): tf.Tensor {
  const [count, width] = dy.shape as [number, number];
  if (count === 0) return tf.zeros([rows, width]);
  if (tf.getBackend() === 'cpu') return tf.scatterND(tf.expandDims(indices, 1), dy, [rows, width]);
  const chunk = Math.max(1, Math.floor(MOST_ONE_HOT / rows));
  let sum: tf.Tensor | undefined;
  for (let start = 0; start < count; start += chunk) {
    const length = Math.min(chunk, count - start);
    const hot = hotRows(tf.slice(indices, start, length), rows, 'float32');
    const part = tf.matMul(hot, tf.slice(dy, [start, 0], [length, width]), true, false);
    sum = sum ? tf.add(sum, part) : part;
  }
  return sum!;
}
