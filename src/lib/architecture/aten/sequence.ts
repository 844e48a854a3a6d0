/** Embeddings, attention, recurrence and dropout. */
import { withUnused, type Adapters } from './adapter.ts';

export const sequence: Adapters = {
  embedding: [
    'weight, indices, padding_idx=-1, scale_grad_by_freq=False, sparse=False',
    (given, aten) => {
      const padding = given.int('padding_idx');
      return aten.python('F.embedding', [given.value('indices'), given.value('weight')], {
        ...(padding >= 0 && { padding_idx: BigInt(padding) }),
      });
    },
  ],
  dropout: ['input, p, train', 'F.dropout'],
  feature_dropout: ['input, p, train', 'F.dropout2d'],
  native_dropout: [
    'input, p, train',
    (given, aten) => {
      const args = ['input', 'p', 'train'].map((name) => given.value(name));
      return withUnused(aten.python('F.dropout', args), 'the mask of dropout');
    },
  ],
  one_hot: ['self, num_classes=-1', 'F.one_hot'],
  scaled_dot_product_attention: [
    'query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, *, scale=None, enable_gqa=False',
    'F.scaled_dot_product_attention',
  ],
  _scaled_dot_product_flash_attention_for_cpu: [
    'query, key, value, dropout_p=0.0, is_causal=False, *, attn_mask=None, scale=None',
    (given, aten) => {
      const names = 'query key value attn_mask dropout_p is_causal'.split(' ');
      const result = aten.python(
        'F.scaled_dot_product_attention',
        names.map((n) => given.value(n)),
        {
          ...(given.value('scale') !== null && { scale: given.value('scale') }),
        },
      );
      return withUnused(result, 'logsumexp');
    },
  ],
};
