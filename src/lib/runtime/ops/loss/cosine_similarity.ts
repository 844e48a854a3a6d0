import { standard, toStandard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';

/** x₁·x₂ / (max(‖x₁‖, eps) max(‖x₂‖, eps)) along `dim`. */
export const cosineSimilarity: OpFunction<'cosine_similarity'> = ([x1, x2], { dim, eps }) => {
  const [a, b] = [toStandard(x1), toStandard(x2)];
  const rank = Math.max(a.rank, b.rank);
  const products = tf.sum(tf.mul(a, b), dim);
  const length = (x: tf.Tensor) => {
    const full = tf.reshape(x, [...new Array<number>(rank - x.rank).fill(1), ...x.shape]);
    const sums = tf.clipByValue(tf.sum(tf.square(full), dim), eps ** 2, Infinity);
    return tf.sqrt(sums);
  };
  return standard(tf.div(products, tf.mul(length(a), length(b))));
};
