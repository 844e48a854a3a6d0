/** Functions whose gradient tfjs lacks, or has otherwise than torch at kinks. */
import * as tf from '../../tf.ts';

/** A function of x with a slope of its own: the gradient is dy · slope(x). */
export function withSlope(
  x: tf.Tensor,
  compute: (x: tf.Tensor) => tf.Tensor,
  slope: (x: tf.Tensor) => tf.Tensor,
): tf.Tensor {
  return withGradient([x], compute, (dy, input) => [tf.mul(dy, slope(input))]);
}

/** A function of tensors of one shape, and the gradient of each. */
export function withGradient(
  inputs: readonly tf.Tensor[],
  compute: (...inputs: tf.Tensor[]) => tf.Tensor,
  gradient: (dy: tf.Tensor, ...inputs: tf.Tensor[]) => tf.Tensor[],
): tf.Tensor {
  const run = tf.customGrad((...given) => {
    const save = given.pop() as tf.GradSaveFunc;
    const tensors = given as tf.Tensor[];
    save(tensors);
    return {
      value: compute(...tensors),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => gradient(dy, ...saved),
    };
  });
  return run(...inputs);
}

/** A step: the gradient is 0, which is not the same as none. */
export function withoutSlope(
  inputs: readonly tf.Tensor[],
  compute: (...inputs: tf.Tensor[]) => tf.Tensor,
): tf.Tensor {
  return withGradient(inputs, compute, (_, ...saved) =>
    saved.map((tensor) => tf.zeros(tensor.shape)),
  );
}

/** 1 where the condition holds, 0 elsewhere. */
export function indicator(condition: tf.Tensor): tf.Tensor {
  return tf.cast(condition, 'float32');
}
