/** Dropout, embeddings, attention and recurrence of `torch.nn`. */
import { raised, unsupported } from '../../python/errors.ts';
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
