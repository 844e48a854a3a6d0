/** Attention of `torch.nn.functional`. */
import { PyTuple } from '../../python/collections.ts';
import { raised, unsupported } from '../../python/errors.ts';
import type { PyValue } from '../../python/object.ts';
import type { Given } from '../arguments.ts';
import type { Functions } from '../natives.ts';
import * as ops from '../ops/index.ts';

/** What says how a multi-head attention computes, whether it is called as a function or a layer. */
export interface AttentionCall {
  readonly embedDim: number;
  readonly heads: number;
  readonly dropout: number;
  readonly addZero: boolean;
  readonly batchFirst: boolean;
  readonly training: boolean;
}

/** A call with query, key, value and masks: Python's pair of the result and the weights or None. */
export function attentionCall(
  call: Given,
  weights: ops.AttentionWeights,
  options: AttentionCall,
): PyValue {
  const needWeights = call.bool('need_weights');
  const keyPadding = call.tensorOrNone('key_padding_mask');
  const mask = call.tensorOrNone('attn_mask');
  const isCausal = call.bool('is_causal');
  if (isCausal && !mask) {
    throw raised('RuntimeError', 'multi_head_attention: is_causal=True needs attn_mask, too');
  }
  // The hint takes the mask's place only where PyTorch does not need the mask itself.
  const isHint = isCausal && !keyPadding && !needWeights;
  const { output, weights: shown } = ops.multiHeadAttention(
    [call.tensor('query'), call.tensor('key'), call.tensor('value')],
    weights,
    { keyPadding, attention: isHint ? null : mask },
    {
      embed_dim: options.embedDim,
      num_heads: options.heads,
      dropout_p: options.dropout,
      add_zero_attn: options.addZero,
      batch_first: options.batchFirst,
      is_causal: isHint,
      need_weights: needWeights,
      average_attn_weights: call.bool('average_attn_weights'),
      training: options.training,
    },
  );
  return new PyTuple([output, shown]);
}

export const functional: Functions = {
  scaled_dot_product_attention: [
    'query, key, value, attn_mask=None, dropout_p=0, is_causal=False, scale=None, enable_gqa=False',
    (given) =>
      ops.scaledDotProductAttention(
        given.tensor('query'),
        given.tensor('key'),
        given.tensor('value'),
        given.tensorOrNone('attn_mask'),
        {
          is_causal: given.bool('is_causal'),
          scale: given.floatOrNone('scale'),
          dropout_p: given.float('dropout_p'),
          enable_gqa: given.bool('enable_gqa'),
        },
      ),
  ],
  multi_head_attention_forward: [
    'query, key, value, embed_dim_to_check, num_heads, in_proj_weight, in_proj_bias, bias_k, bias_v, \
add_zero_attn, dropout_p, out_proj_weight, out_proj_bias, training=True, key_padding_mask=None, \
need_weights=True, attn_mask=None, use_separate_proj_weight=False, q_proj_weight=None, \
k_proj_weight=None, v_proj_weight=None, static_k=None, static_v=None, average_attn_weights=True, \
is_causal=False',
    (given) => {
      if (given.value('static_k') !== null || given.value('static_v') !== null) {
        throw unsupported(
          'multi_head_attention_forward with static_k or static_v is not supported',
        );
      }
      const isSeparate = given.bool('use_separate_proj_weight');
      const separate = (name: string) => (isSeparate ? given.tensor(name) : null);
      return attentionCall(
        given,
        {
          inProj: isSeparate ? null : given.tensor('in_proj_weight'),
          qProj: separate('q_proj_weight'),
          kProj: separate('k_proj_weight'),
          vProj: separate('v_proj_weight'),
          inProjBias: given.tensorOrNone('in_proj_bias'),
          biasK: given.tensorOrNone('bias_k'),
          biasV: given.tensorOrNone('bias_v'),
          outProj: given.tensor('out_proj_weight'),
          outProjBias: given.tensorOrNone('out_proj_bias'),
        },
        {
          embedDim: given.int('embed_dim_to_check'),
          heads: given.size('num_heads', 1),
          dropout: given.float('dropout_p'),
          addZero: given.bool('add_zero_attn'),
          batchFirst: false,
          training: given.bool('training'),
        },
      );
    },
  ],
};
