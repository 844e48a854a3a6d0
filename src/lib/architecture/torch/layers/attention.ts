/** nn.MultiheadAttention. */
import { raised } from '../../python/errors.ts';
import { attentionCall } from '../functional/attention.ts';
import { fillConstant, xavierNormal, xavierUniform } from '../init.ts';
import type { Layers } from '../layer.ts';

export const layers: Layers = {
  MultiheadAttention: {
    signature:
      'embed_dim, num_heads, dropout=0, bias=True, add_bias_kv=False, add_zero_attn=False, kdim=None, vdim=None, batch_first=False, device=None, dtype=None',
    call: 'query, key, value, key_padding_mask=None, need_weights=True, attn_mask=None, average_attn_weights=True, is_causal=False',
    build({ given, parameter, child, set }) {
      const width = given.size('embed_dim', 1);
      const heads = given.size('num_heads', 1);
      if (width % heads !== 0) {
        throw raised(
          'AssertionError',
          `MultiheadAttention: num_heads ${heads} does not divide embed_dim ${width}`,
        );
      }
      const [kdim, vdim] = [given.intOrNone('kdim') ?? width, given.intOrNone('vdim') ?? width];
      const isPacked = kdim === width && vdim === width;
      const hasBias = given.bool('bias');
      const extra = given.bool('add_bias_kv') ? [1, 1, width] : null;
      set('kdim', BigInt(kdim));
      set('vdim', BigInt(vdim));
      set('_qkv_same_embed_dim', isPacked);
      set('head_dim', BigInt(width / heads));
      if (isPacked) parameter('in_proj_weight', [3 * width, width]);
      parameter('q_proj_weight', isPacked ? null : [width, width]);
      parameter('k_proj_weight', isPacked ? null : [width, kdim]);
      parameter('v_proj_weight', isPacked ? null : [width, vdim]);
      if (!isPacked) parameter('in_proj_weight', null);
      parameter('in_proj_bias', hasBias ? [3 * width] : null);
      child('out_proj', 'Linear', [BigInt(width), BigInt(width), hasBias]);
      parameter('bias_k', extra);
      parameter('bias_v', extra);
    },
    resetName: '_reset_parameters',
    reset(self) {
      for (const name of ['in_proj', 'q_proj', 'k_proj', 'v_proj']) {
        const weight = self.held(`${name}_weight`);
        if (weight) xavierUniform(weight);
      }
      for (const bias of [self.held('in_proj_bias'), self.child('out_proj').held('bias')]) {
        if (bias && self.held('in_proj_bias')) fillConstant(bias, 0);
      }
      for (const extra of [self.held('bias_k'), self.held('bias_v')]) {
        if (extra) xavierNormal(extra);
      }
    },
    forward(call, self) {
      const output = self.child('out_proj');
      return attentionCall(
        call,
        {
          inProj: self.tensorOrNone('in_proj_weight'),
          qProj: self.tensorOrNone('q_proj_weight'),
          kProj: self.tensorOrNone('k_proj_weight'),
          vProj: self.tensorOrNone('v_proj_weight'),
          inProjBias: self.tensorOrNone('in_proj_bias'),
          biasK: self.tensorOrNone('bias_k'),
          biasV: self.tensorOrNone('bias_v'),
          outProj: output.tensor('weight'),
          outProjBias: output.tensorOrNone('bias'),
        },
        {
          embedDim: self.int('embed_dim'),
          heads: self.size('num_heads', 1),
          dropout: self.float('dropout'),
          addZero: self.bool('add_zero_attn'),
          batchFirst: self.bool('batch_first'),
          training: self.bool('training'),
        },
      );
    },
  },
};
