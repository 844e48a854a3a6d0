import { standard, toStandard } from '../../activation.ts';
import type { OpContext, OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { additiveMask, attend, causalMask, hideWhere, type Mask } from './attend.ts';
import { drop } from './drop.ts';

/**
 * torch.nn.functional.scaled_dot_product_attention. All axes before the last two are folded into
 * one batched product. With enable_gqa a head of k serves several heads of q, which then are longer
 * queries of the same head: nothing is repeated.
 */
export const scaledDotProductAttention: OpFunction<'scaled_dot_product_attention'> = (
  [query, key, value, mask],
  { is_causal: isCausal, scale, dropout_p: p, enable_gqa: isGrouped },
  context,
) => {
  const [q, k, v] = [query, key, value].map(toStandard) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const { shape } = context.node;
  const lead = shape.slice(0, -2);
  const shared = isGrouped ? [...lead.slice(0, -1), k.shape.at(-3)!] : lead;
  const output = attend(
    [fold(q, lead, shared), fold(k, shared, shared), fold(v, shared, shared)],
    lead,
    scale ?? 1 / Math.sqrt(q.shape.at(-1)!),
    mask
      ? maskOf(mask.tensor, context)
      : isCausal
        ? causalMask(shape.at(-2)!, k.shape.at(-2)!, context)
        : null,
    (weights) => drop(weights, p, context),
  );
  return standard(tf.reshape(output.output, [...shape]));
};

/** (…, L, E), spread to `lead` where it broadcasts, as (product of `batch`, rows, E). */
function fold(x: tf.Tensor, lead: readonly number[], batch: readonly number[]): tf.Tensor {
  const [rows, width] = x.shape.slice(-2) as [number, number];
  const full = [...lead, rows, width];
  const spread = tf.util.arraysEqual(x.shape, full) ? x : tf.broadcastTo(x, full);
  return tf.reshape(spread, [tf.util.sizeFromShape([...batch]), -1, width]);
}

/** A bool mask is true where a key takes part. */
function maskOf(mask: tf.Tensor, context: OpContext): Mask {
  const numbers = () => (mask.dtype === 'bool' ? hideWhere(tf.logicalNot(mask)) : mask);
  return additiveMask(`attn_mask ${context.node.inputs[3]}`, numbers, 0, context);
}
