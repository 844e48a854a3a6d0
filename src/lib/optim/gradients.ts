import type * as tf from '#lib/runtime/tf.ts';

/** Gradients by the keys of their parameters; null where a parameter takes no part. */
export type Gradients = ReadonlyMap<string, tf.Tensor | null>;

/** Each gradient changed; those that are null stay so. */
export function mapGradients(
  gradients: Gradients,
  change: (gradient: tf.Tensor) => tf.Tensor,
): Map<string, tf.Tensor | null> {
  return new Map([...gradients].map(([key, gradient]) => [key, gradient && change(gradient)]));
}
