import { standard, toStandard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { gatherRows } from './gather_rows.ts';

/** weight (V, D) by indices (…) as (…, D). */
export const embedding: OpFunction<'embedding'> = ([indices, weight], attrs, { node }) => {
  const flat = tf.reshape(toStandard(indices), [-1]);
  const rows = gatherRows(weight.tensor, flat, attrs.padding_idx);
  return standard(tf.reshape(rows, [...node.shape]));
};
