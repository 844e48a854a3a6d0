import type { Reduction } from '#lib/architecture/ops/loss.ts';
import { standard, type Activation } from '../../activation.ts';
import * as tf from '../../tf.ts';

/** The elements of a loss as PyTorch's reduction leaves them. */
export function reduce(elements: tf.Tensor, reduction: Reduction): Activation {
  switch (reduction) {
    case 'none':
      return standard(elements);
    case 'mean':
      return standard(tf.mean(elements));
    case 'sum':
      return standard(tf.sum(elements));
    default:
      throw new Error(`no reduction ${reduction satisfies never}`);
  }
}
