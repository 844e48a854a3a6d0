import { standard, toStandard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { expandTo, join, narrow, product } from '../shape/blocks.ts';

/**
 * torch.matmul. A matrix on the right meets all rows of the left at once; else both are brought to
 * one batch: tfjs has no gradient for broadcast products.
 */
export const matmul: OpFunction<'matmul'> = ([x, y], _, { node }) => {
  const [left, right] = [toStandard(x), toStandard(y)];
  const a = left.rank === 1 ? tf.reshape(left, [1, -1]) : left;
  const b = right.rank === 1 ? tf.reshape(right, [-1, 1]) : right;
  const [rows, inner] = a.shape.slice(-2) as [number, number];
  const columns = b.shape.at(-1)!;
  const batches = [a, b].map(({ shape }) => shape.slice(0, -2)) as [number[], number[]];
  if (product(batches[1]) === 1) {
    const flat = tf.matMul(tf.reshape(a, [-1, inner]), tf.reshape(b, [inner, columns]));
    return standard(tf.reshape(flat, [...node.shape]));
  }
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(...batches);
  const blocks = [
    [a, rows, inner],
    [b, inner, columns],
  ] as const;
  const [p, q] = blocks.map(([tensor, height, width]) =>
    tf.reshape(expandTo(tensor, [...batch, height, width]), [-1, height, width]),
  );
  return standard(tf.reshape(batchMatMul(p!, q!), [...node.shape]));
};

/** Batches that WebGPU multiplies in one go: a dispatch has at most 65,535 workgroups an axis. */
const maxBatches = 65_535;

/** (n, rows, inner) · (n, inner, columns) */
export function batchMatMul(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  const count = a.shape[0]!;
  if (count <= maxBatches) return tf.matMul(a, b);
  const parts = Array.from({ length: Math.ceil(count / maxBatches) }, (_, at) => {
    const start = at * maxBatches;
    const size = Math.min(maxBatches, count - start);
    return tf.matMul(narrow(a, 0, start, size), narrow(b, 0, start, size));
  });
  return join(parts, 0);
}
