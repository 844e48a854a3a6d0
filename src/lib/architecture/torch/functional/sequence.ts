/** Dropout, embeddings, attention and recurrence of `torch.nn.functional`. */
import { maybeInPlace, type Functions } from '../natives.ts';
import * as ops from '../ops/index.ts';

export const functional: Functions = {
  dropout: [
    'input, p=0.5, training=True, inplace=False',
    (given) => {
      const x = given.tensor('input');
      return maybeInPlace(given, x, ops.dropout(x, given.float('p'), given.bool('training')));
    },
  ],
};
