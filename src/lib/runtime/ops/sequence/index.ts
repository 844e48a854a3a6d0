import type { OpFunctions } from '../../op.ts';
import { alphaDropout } from './alpha_dropout.ts';
import { constant } from './constant.ts';
import { dropout } from './dropout.ts';
import { embedding } from './embedding.ts';
import { embeddingBag } from './embedding_bag.ts';
import { featureDropout } from './feature_dropout.ts';
import { multiHeadAttention } from './multi_head_attention.ts';
import { oneHot } from './one_hot.ts';
import { random } from './random.ts';
import { gru, gruCell, lstm, lstmCell, rnn, rnnCell } from './recurrent.ts';
import { scaledDotProductAttention } from './scaled_dot_product_attention.ts';

export const sequence = {
  alpha_dropout: alphaDropout,
  constant,
  dropout,
  embedding,
  embedding_bag: embeddingBag,
  feature_dropout: featureDropout,
  gru,
  gru_cell: gruCell,
  lstm,
  lstm_cell: lstmCell,
  multi_head_attention: multiHeadAttention,
  one_hot: oneHot,
  random,
  rnn,
  rnn_cell: rnnCell,
  scaled_dot_product_attention: scaledDotProductAttention,
} satisfies OpFunctions;
