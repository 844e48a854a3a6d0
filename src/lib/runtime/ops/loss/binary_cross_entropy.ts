import { toStandard, type Activation } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { reduce } from './reduce.ts';

/** PyTorch cuts logarithms off here, and in the gradient p(1 − p) at EPSILON. */
const LOWEST_LOG = -100;
const EPSILON = 1e-12;

/** GPUs take the logarithm of zero for that of the smallest number. */
function cut(x: tf.Tensor): tf.Tensor {
  const log = tf.maximum(tf.log(x), LOWEST_LOG);
  return tf.where(tf.equal(x, 0), tf.fill(x.shape, LOWEST_LOG), log);
}

/** −(y log p + (1 − y) log (1 − p)) of each element */
export const binaryEntropy = tf.customGrad((p, y, save) => {
  const [input, target] = [p as tf.Tensor, y as tf.Tensor];
  (save as tf.GradSaveFunc)([input, target]);
  const [yes, no] = [cut(input), cut(tf.sub(1, input))];
  return {
    value: tf.neg(tf.add(tf.mul(target, yes), tf.mul(tf.sub(1, target), no))),
    gradFunc: (dy: tf.Tensor, [saved, wanted]: tf.Tensor[]) => {
      const spread = tf.maximum(tf.mul(saved!, tf.sub(1, saved!)), EPSILON);
      return [
        tf.div(tf.mul(dy, tf.sub(saved!, wanted!)), spread),
        tf.mul(dy, tf.sub(cut(tf.sub(1, saved!)), cut(saved!))),
      ];
    },
  };
});

export const binaryCrossEntropy: OpFunction<'binary_cross_entropy'> = (
  [input, target, weight],
  { reduction },
) => reduce(weighed(binaryEntropy(toStandard(input), toStandard(target)), weight), reduction);

/** (1 − y) x + (1 + (w − 1) y) softplus(−x) of each element, with a positive class of weight w. */
export function binaryEntropyOfLogits(
  x: tf.Tensor,
  y: tf.Tensor,
  posWeight: tf.Tensor | null,
): tf.Tensor {
  const soft = tf.softplus(tf.neg(x));
  const share = posWeight && tf.add(tf.mul(tf.sub(posWeight, 1), y), 1);
  return tf.add(tf.mul(tf.sub(1, y), x), share ? tf.mul(share, soft) : soft);
}

export const binaryCrossEntropyWithLogits: OpFunction<'binary_cross_entropy_with_logits'> = (
  [input, target, weight, posWeight],
  { reduction },
) => {
  const positive = posWeight && toStandard(posWeight);
  const elements = binaryEntropyOfLogits(toStandard(input), toStandard(target), positive);
  return reduce(weighed(elements, weight), reduction);
};

function weighed(elements: tf.Tensor, weight: Activation | null): tf.Tensor {
  return weight ? tf.mul(elements, toStandard(weight)) : elements;
}
