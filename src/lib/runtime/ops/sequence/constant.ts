import { standard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { tfDtype } from '../../tensors.ts';

export const constant: OpFunction<'constant'> = (_, { values }, { node }) =>
  standard(tf.tensor(values, [...node.shape], tfDtype(node.dtype)));
