/** Dropout, embeddings, attention and recurrence of `torch.nn.functional`. */
import { unsupported } from '../../python/errors.ts';
import type { Given } from '../arguments.ts';
import { maybeInPlace, type Function, type Functions } from '../natives.ts';
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

type Dropout = (x: PyTensor, p: number, training: boolean) => PyTensor;

/**
 * The dropouts. Channels of an input without a batch are known by its rank: 2 axes for dropout1d,
 * 4 for dropout3d; dropout2d takes 3 axes for a batch of sequences.
 */
export const dropouts = {
  dropout: ops.dropout,
  alpha_dropout: (x, p, training) => ops.alphaDropout(x, p, training, null),
  dropout1d: (x, p, training) => ops.featureDropout(x, p, training, x.shape.length === 2 ? 1 : 2),
  dropout2d: (x, p, training) => ops.featureDropout(x, p, training, 2),
  dropout3d: (x, p, training) => ops.featureDropout(x, p, training, x.shape.length === 4 ? 1 : 2),
  feature_alpha_dropout: (x, p, training) => ops.alphaDropout(x, p, training, 2),
} satisfies Record<string, Dropout>;

function dropout(name: keyof typeof dropouts, training: 'True' | 'False'): Function {
  return [
    `input, p=0.5, training=${training}, inplace=False`,
    (given) => {
      const x = given.tensor('input');
      return maybeInPlace(given, x, dropouts[name](x, given.float('p'), given.bool('training')));
    },
  ];
}

export const functional: Functions = {
  alpha_dropout: dropout('alpha_dropout', 'False'),
  dropout: dropout('dropout', 'True'),
  dropout1d: dropout('dropout1d', 'True'),
  dropout2d: dropout('dropout2d', 'True'),
  dropout3d: dropout('dropout3d', 'True'),
  feature_alpha_dropout: dropout('feature_alpha_dropout', 'False'),
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
  embedding_bag: [
    "input, weight, offsets=None, max_norm=None, norm_type=2, scale_grad_by_freq=False, mode='mean', sparse=False, per_sample_weights=None, include_last_offset=False, padding_idx=None",
    (given) =>
      embeddingBag(
        given,
        given.tensor('input'),
        given.tensorOrNone('offsets'),
        given.tensorOrNone('per_sample_weights'),
      ),
  ],
  one_hot: [
    'tensor, num_classes=-1',
    (given) => ops.oneHot(given.tensor('tensor'), given.int('num_classes')),
  ],
};
