/** torch.nn.utils.clip_grad_norm_ and clip_grad_value_; nothing is read back. */
import { add, div, element, minimum, Numbers } from '#lib/runtime/kernels/formula.ts';
import * as tf from '#lib/runtime/tf.ts';
import { invalid } from './options.ts';
import { mapGradients, type Gradients } from './gradients.ts';

/** How the norms of a tensor, and of the norms of all, are taken. */
const norms: Readonly<Record<number, (tensor: tf.Tensor) => tf.Tensor>> = {
  1: (tensor) => tf.sum(tf.abs(tensor)),
  2: (tensor) => tf.sqrt(tf.sum(tf.square(tensor))),
  Infinity: (tensor) => tf.max(tf.abs(tensor)),
};

/**
 * Gradients whose norm, of all of them as one vector, is `maxNorm` or less, and the norm that it was;
 * all are multiplied by min(1, maxNorm / (norm + 1e-6)). The caller disposes both. Throws a
 * FindingError for a norm type other than 1, 2 and Infinity.
 */
export function clipGradNorm(
  gradients: Gradients,
  maxNorm: number,
  normType = 2,
): { gradients: Map<string, tf.Tensor | null>; norm: tf.Scalar } {
  const norm = norms[normType];
  if (!norm) throw invalid(`the norm type to clip by is ${normType}, expected 1, 2 or inf`);
  const present = [...gradients.values()].filter((gradient) => gradient !== null);
  const numbers = new Numbers({ maxNorm, eps: 1e-6, one: 1 });
  const { total, factor } = tf.tidy(() => {
    const total = present.length > 0 ? norm(tf.stack(present.map(norm))) : tf.scalar(0);
    const n = numbers.terms;
    const factor = minimum(div(n.maxNorm, add(element(total), n.eps)), n.one);
    return { total, factor: numbers.compute({ factor }).factor! };
  });
  const clipped = mapGradients(gradients, (gradient) => tf.mul(gradient, factor));
  numbers.dispose();
  factor.dispose();
  return { gradients: clipped, norm: total as tf.Scalar };
}

/** Gradients with each number brought between −clipValue and clipValue. The caller disposes them. */
export function clipGradValue(
  gradients: Gradients,
  clipValue: number,
): Map<string, tf.Tensor | null> {
  return mapGradients(gradients, (gradient) => tf.clipByValue(gradient, -clipValue, clipValue));
}
