/** Dropout, embeddings, attention and recurrence of `torch.nn.functional`. */
import { unsupported } from '../../python/errors.ts';
import type { Given } from '../arguments.ts';
import { maybeInPlace, type Functions } from '../natives.ts';
import * as ops from '../ops/index.ts';
import type { PyTensor } from '../tensor.ts';

/** Arguments of an embedding that change its numbers, and are not computed here. */
export function refuseEmbeddingOptions(what: string, given: Given): void {
  if (given.value('max_norm') !== null) throw unsupported(`${what}: max_norm is not supported`);
  if (given.bool('scale_grad_by_freq')) {
    throw unsupported(`${what}: scale_grad_by_freq is not supported`);
  }
}

/** An embedding bag by the arguments that its function and its layer have in common. */
export function embeddingBag(
  given: Given,
  indices: PyTensor,
  offsets: PyTensor | null,
  weights: PyTensor | null,
): PyTensor {
  refuseEmbeddingOptions('embedding_bag', given);
  if (given.bool('include_last_offset')) {
    throw unsupported('embedding_bag: include_last_offset is not supported');
  }
  return ops.embeddingBag(indices, given.tensor('weight'), offsets, weights, {
    mode: given.word('mode', ['sum', 'mean', 'max']),
    paddingIndex: given.intOrNone('padding_idx'),
  });
}

export const functional: Functions = {
  dropout: [
    'input, p=0.5, training=True, inplace=False',
    (given) => {
      const x = given.tensor('input');
      return maybeInPlace(given, x, ops.dropout(x, given.float('p'), given.bool('training')));
    },
  ],
  embedding: [
    'input, weight, padding_idx=None, max_norm=None, norm_type=2, scale_grad_by_freq=False, sparse=False',
    (given) => {
      refuseEmbeddingOptions('embedding', given);
      return ops.embedding(
        given.tensor('input'),
        given.tensor('weight'),
        given.intOrNone('padding_idx'),
      );
    },
  ],
  one_hot: [
    'tensor, num_classes=-1',
    (given) => ops.oneHot(given.tensor('tensor'), given.int('num_classes')),
  ],
};
