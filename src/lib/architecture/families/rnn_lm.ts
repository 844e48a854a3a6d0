import { int, type Family } from './family.ts';
import source from './rnn_lm.py?raw';

/** The gates of a cell, stacked in weight_hh, tell which kind it is. */
const KINDS: Readonly<Record<number, string>> = { 4: 'LSTM', 3: 'GRU', 1: 'RNN' };

export const rnnLanguageModel: Family = {
  name: 'rnn_lm',
  source,
  propose(shapes) {
    if (!shapes.has('encoder.weight', 'rnn.weight_hh_l0', 'decoder.weight')) return [];
    const [rows = 0, hidden = 0] = shapes.of('rnn.weight_hh_l0');
    const kind = KINDS[rows / hidden];
    const [vocabulary = 0, embedding = 0] = shapes.of('encoder.weight');
    if (!kind) return [];
    return [
      {
        title: `${kind} language model`,
        model: 'RNNModel',
        args: {
          kind,
          biased: shapes.has('decoder.bias'),
          tied: shapes.areOne('encoder.weight', 'decoder.weight'),
          ...int({ vocabulary, embedding, hidden, layers: shapes.count('rnn.weight_hh_l') }),
        },
        ...(kind === 'RNN' ? { assumed: ['tanh in the recurrent layers'] } : {}),
      },
    ];
  },
};
