/**
 * A value on its way through the graph. PyTorch's images are (N, C, H, W); tfjs's convolutions and
 * pools want (N, H, W, C). An Activation knows which of the two its numbers are in and is turned
 * only when an op asks for the other, so a chain of convolutions stays channels-last throughout.
 */
import * as tf from './tf.ts';

export interface Activation {
  readonly tensor: tf.Tensor;
  /** `standard` is torch's order; `last` has the channels last and is only for rank 4. */
  readonly layout: 'standard' | 'last';
}

export function standard(tensor: tf.Tensor): Activation {
  return { tensor, layout: 'standard' };
}

export function last(tensor: tf.Tensor): Activation {
  return { tensor, layout: 'last' };
}

/** The numbers in torch's order. */
export function toStandard({ tensor, layout }: Activation): tf.Tensor {
  return layout === 'last' ? tf.transpose(tensor, [0, 3, 1, 2]) : tensor;
}

/** The numbers of a rank-4 value as (N, H, W, C). */
export function toLast({ tensor, layout }: Activation): tf.Tensor4D {
  return (layout === 'last' ? tensor : tf.transpose(tensor, [0, 2, 3, 1])) as tf.Tensor4D;
}
