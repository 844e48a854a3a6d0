import type { OpFunction } from '../../op.ts';
import { tfDtype } from '../../tensors.ts';
import * as tf from '../../tf.ts';

/** Floats lose their fraction on the way to integers, as in torch; everything but 0 is true. */
export const to: OpFunction<'to'> = ([x], _, { node }) => ({
  ...x,
  tensor: tf.cast(x.tensor, tfDtype(node.dtype)),
});
