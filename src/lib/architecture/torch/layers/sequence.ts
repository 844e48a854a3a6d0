/** Dropout, embeddings, attention and recurrence of `torch.nn`. */
import { raised, unsupported } from '../../python/errors.ts';
import { dropouts, embeddingBag, refuseEmbeddingOptions } from '../functional/sequence.ts';
import type { PyValue } from '../../python/object.ts';
import { embeddingDefaults } from '../init.ts';
import type { Layer, Layers } from '../layer.ts';
import { maybeInPlace } from '../natives.ts';
import * as ops from '../ops/index.ts';

const dropout = (op: keyof typeof dropouts): Layer => ({
  signature: 'p=0.5, inplace=False',
  build({ given }) {
    const p = given.float('p');
    if (p < 0 || p > 1) {
      throw raised('ValueError', `${op}: p has to be between 0 and 1, not ${p}`);
    }
  },
  forward(call, self) {
    const x = call.tensor('input');
    return maybeInPlace(self, x, dropouts[op](x, self.float('p'), self.bool('training')));
  },
});

export const layers: Layers = {
  Embedding: {
    signature:
      'num_embeddings, embedding_dim, padding_idx=None, max_norm=None, norm_type=2, scale_grad_by_freq=False, sparse=False, _weight=None, _freeze=False, device=None, dtype=None',
    classMethods: {
      from_pretrained: [
        'embeddings, freeze=True, padding_idx=None, max_norm=None, norm_type=2, scale_grad_by_freq=False, sparse=False',
        (given, make) => {
          const { shape } = given.tensor('embeddings');
          if (shape.length !== 2) {
            throw raised('AssertionError', 'Embeddings parameter is expected to be 2-dimensional');
          }
          const options = ['padding_idx', 'max_norm', 'scale_grad_by_freq'];
          const keywords = options.map((name) => [name, given.value(name)] as const);
          const [weight, freeze] = [given.tensor('embeddings'), given.bool('freeze')];
          return make(
            shape.map(BigInt),
            new Map<string, PyValue>([...keywords, ['_weight', weight], ['_freeze', freeze]]),
          );
        },
      ],
    },
    build({ given, parameter, set }) {
      refuseEmbeddingOptions('Embedding', given);
      const rows = given.size('num_embeddings');
      const padding = given.intOrNone('padding_idx');
      if (padding !== null)
        set('padding_idx', BigInt(ops.normalizeIndex(padding, rows, 'Embedding')));
      const shape = [rows, given.size('embedding_dim')];
      const [ready, frozen] = [given.tensorOrNone('_weight'), given.bool('_freeze')];
      parameter('weight', shape, ready ? { ready, requiresGrad: !frozen } : {});
    },
    reset: (self) => embeddingDefaults(self.tensor('weight'), self.intOrNone('padding_idx')),
    forward(call, self) {
      refuseEmbeddingOptions('Embedding', self);
      return ops.embedding(
        call.tensor('input'),
        self.tensor('weight'),
        self.intOrNone('padding_idx'),
      );
    },
  },
  EmbeddingBag: {
    signature:
      "num_embeddings, embedding_dim, max_norm=None, norm_type=2, scale_grad_by_freq=False, mode='mean', sparse=False, _weight=None, include_last_offset=False, padding_idx=None, device=None, dtype=None",
    call: 'input, offsets=None, per_sample_weights=None',
    build({ given, parameter, set }) {
      const rows = given.size('num_embeddings');
      const padding = given.intOrNone('padding_idx');
      if (padding !== null) {
        set('padding_idx', BigInt(ops.normalizeIndex(padding, rows, 'EmbeddingBag')));
      }
      if (given.value('_weight') !== null) {
        throw unsupported('EmbeddingBag: _weight is not supported');
      }
      parameter('weight', [rows, given.size('embedding_dim')]);
    },
    reset: (self) => embeddingDefaults(self.tensor('weight'), self.intOrNone('padding_idx')),
    forward: (call, self) =>
      embeddingBag(
        self,
        call.tensor('input'),
        call.tensorOrNone('offsets'),
        call.tensorOrNone('per_sample_weights'),
      ),
  },
  AlphaDropout: dropout('alpha_dropout'),
  Dropout: dropout('dropout'),
  Dropout1d: dropout('dropout1d'),
  Dropout2d: dropout('dropout2d'),
  Dropout3d: dropout('dropout3d'),
  FeatureAlphaDropout: dropout('feature_alpha_dropout'),
};
