/** Dropout, embeddings, attention and recurrence of `torch.nn`. */
import { raised, unsupported } from '../../python/errors.ts';
import { refuseEmbeddingOptions } from '../functional/sequence.ts';
import type { Layer, Layers } from '../layer.ts';
import { maybeInPlace } from '../natives.ts';
import * as ops from '../ops/index.ts';

/** Drops whole channels in training, which the graph's dropout does not. */
const channelDropout: Layer = {
  signature: 'p=0.5, inplace=False',
  forward(call, self) {
    const x = call.tensor('input');
    const training = self.bool('training');
    if (training && self.float('p') > 0) {
      throw unsupported('Dropout2d in training is not supported');
    }
    return maybeInPlace(self, x, ops.dropout(x, self.float('p'), training));
  },
};

export const layers: Layers = {
  Embedding: {
    signature:
      'num_embeddings, embedding_dim, padding_idx=None, max_norm=None, norm_type=2, scale_grad_by_freq=False, sparse=False, _weight=None, _freeze=False, device=None, dtype=None',
    build({ given, parameter, set }) {
      refuseEmbeddingOptions('Embedding', given);
      if (given.value('_weight') !== null) throw unsupported('Embedding: _weight is not supported');
      const rows = given.size('num_embeddings');
      const padding = given.intOrNone('padding_idx');
      if (padding !== null)
        set('padding_idx', BigInt(ops.normalizeIndex(padding, rows, 'Embedding')));
      parameter('weight', [rows, given.size('embedding_dim')]);
    },
    forward(call, self) {
      refuseEmbeddingOptions('Embedding', self);
      return ops.embedding(
        call.tensor('input'),
        self.tensor('weight'),
        self.intOrNone('padding_idx'),
      );
    },
  },
  Dropout: {
    signature: 'p=0.5, inplace=False',
    build({ given }) {
      const p = given.float('p');
      if (p < 0 || p > 1) {
        throw raised('ValueError', `Dropout: p has to be between 0 and 1, not ${p}`);
      }
    },
    forward(call, self) {
      const x = call.tensor('input');
      return maybeInPlace(self, x, ops.dropout(x, self.float('p'), self.bool('training')));
    },
  },
  Dropout2d: channelDropout,
};
