import { standard, toStandard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { spread } from '../elementwise/operands.ts';

/** x₁·x₂ / (max(‖x₁‖, eps) max(‖x₂‖, eps)) along `dim`; the lengths are those after broadcasting. */
export const cosineSimilarity: OpFunction<'cosine_similarity'> = ([x1, x2], { dim, eps }) => {
  const operands = [toStandard(x1), toStandard(x2)] as const;
  const shape = tf.broadcast_util.assertAndGetBroadcastShape(operands[0].shape, operands[1].shape);
  const [a, b] = [spread(operands[0], shape), spread(operands[1], shape)];
  const axes = shape.length === 0 ? [] : [dim];
  const length = (x: tf.Tensor) =>
    tf.sqrt(tf.clipByValue(tf.sum(tf.square(x), axes), eps ** 2, Infinity));
  return standard(tf.div(tf.sum(tf.mul(a, b), axes), tf.mul(length(a), length(b))));
};
