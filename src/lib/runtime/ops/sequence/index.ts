import type { OpFunctions } from '../../op.ts';
import { constant } from './constant.ts';
import { dropout } from './dropout.ts';
import { embedding } from './embedding.ts';
import { multiHeadAttention } from './multi_head_attention.ts';
import { oneHot } from './one_hot.ts';
import { random } from './random.ts';
import { gru, gruCell, lstm, lstmCell, rnn, rnnCell } from './recurrent.ts';
import { scaledDotProductAttention } from './scaled_dot_product_attention.ts';

export const sequence = {
  constant,
  dropout,
  embedding,
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
