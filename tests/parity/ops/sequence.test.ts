import { sequence } from '#lib/runtime/ops/sequence/index.ts';
import { compareOps } from './compare.ts';
import { row, type InputSpec, type Row } from './rows.ts';

const tokens = (high: number, ...shape: number[]): InputSpec => ({
  shape,
  dtype: 'int64',
  low: 0,
  high,
});
/** A mask with something in each row: true on the diagonal and where the values say. */
const mask = (...rows: number[][]): InputSpec => ({
  shape: [rows.length, rows[0]!.length],
  dtype: 'bool',
  values: rows.flat(),
});
const numbers = (...rows: number[][]): InputSpec => ({
  shape: [rows.length, rows[0]!.length],
  values: rows.flat(),
});
const visible = mask([1, 0, 1, 1], [1, 1, 0, 0], [0, 1, 1, 0]);
const hidden = mask([0, 1, 0, 0], [0, 0, 1, 1], [1, 0, 0, 1]);
const emptyRow = mask([1, 0, 1, 1], [0, 0, 0, 0], [0, 1, 1, 0]);
const added = numbers(
  [0.5, -Infinity, -1, 2],
  [-Infinity, 1, 0, -3.4028234663852886e38],
  [1, 2, 0, -1],
);
const noFloatGradient =
  'a gradient of the mask is compared in another row; that of −∞ is NaN in torch';

const qkv = { q: [2, 3, 3, 4], k: [2, 3, 4, 4], v: [2, 3, 4, 5] };
const sdpa = 'F.scaled_dot_product_attention';
const attention = (call: string, inputs: Row['inputs'], init: string, options = {}) =>
  row(`self.m(${call})`, inputs, { init: `self.m = nn.MultiheadAttention(${init})`, ...options });
const selfAttention = { x: [3, 2, 4] };
const crossAttention = { q: [3, 2, 4], k: [4, 2, 4], v: [4, 2, 4] };
const recurrent = (call: string, inputs: Row['inputs'], init: string, options = {}) =>
  row(`self.m(${call})`, inputs, { init: `self.m = nn.${init}`, ...options });
const steps = { x: [4, 2, 3] };

compareOps('sequence', Object.keys(sequence), [
  row('F.dropout(x, 0.5, False)', { x: [2, 3] }),
  // Everything that is drawn is dropped: what is drawn differs, how it is used does not.
  row('x + F.dropout(torch.randn(2, 3), 1.0, True)', { x: [2, 3] }),
  row('x + F.dropout(torch.rand(2, 3), 1.0, True)', { x: [2, 3] }),
  row('torch.ones(3) + x', { x: [2, 3] }),
  row('x + F.dropout2d(x, 1.0)', { x: [2, 3, 2, 2] }),
  row('x + F.dropout2d(x, 0.0, True)', { x: [2, 3, 2, 2] }),
  row('self.m(x)', { x: [2, 3, 4] }, { init: 'self.m = nn.Dropout1d()' }),
  row('x + self.m(x)', { x: [3, 2, 2, 2] }, { init: 'self.m = nn.Dropout3d(1.0)', training: true }),
  row('x + F.alpha_dropout(x, 1.0, True)', { x: [2, 3] }),
  row('self.m(x)', { x: [2, 3] }, { init: 'self.m = nn.AlphaDropout(0.2)' }),
  row('self.m(x)', { x: [2, 3] }, { init: 'self.m = nn.FeatureAlphaDropout(0.2)' }),

  row('F.embedding(i, w)', { i: tokens(7, 2, 3), w: [7, 4] }),
  row('F.embedding(i, w, padding_idx=2)', {
    i: { ...tokens(7, 5), values: [2, 0, 2, 6, 0] },
    w: [7, 4],
  }),
  row('F.embedding(i, w, padding_idx=-5)', {
    i: { ...tokens(7, 5), values: [2, 0, 2, 6, 0] },
    w: [7, 4],
  }),
  row('self.m(i)', { i: tokens(9, 2, 3) }, { init: 'self.m = nn.Embedding(9, 4, padding_idx=0)' }),
  row('self.m(i)', { i: tokens(9, 1) }, { init: 'self.m = nn.Embedding(9, 1)' }),
  row('F.embedding_bag(i, w)', { i: tokens(7, 2, 3), w: [7, 4] }),
  row('F.embedding_bag(i, w, o, mode="sum", per_sample_weights=s)', {
    i: tokens(7, 5),
    w: [7, 4],
    o: { ...tokens(5, 3), values: [0, 2, 2] },
    s: [5],
  }),
  row('F.embedding_bag(i, w, o, mode="mean", padding_idx=1)', {
    i: { ...tokens(7, 5), values: [1, 1, 3, 1, 6] },
    w: [7, 4],
    o: { ...tokens(5, 2), values: [0, 2] },
  }),
  row(
    'self.m(i)',
    { i: tokens(9, 2, 3) },
    { init: 'self.m = nn.EmbeddingBag(9, 4, mode="max", padding_idx=0)' },
  ),
  row('F.one_hot(i, 5)', { i: tokens(5, 2, 3) }),

  row(`${sdpa}(q, k, v)`, qkv),
  row(`${sdpa}(q, k, v, scale=0.3)`, qkv),
  row(`${sdpa}(q, k, v, is_causal=True)`, qkv),
  row(`${sdpa}(q, q, q, is_causal=True)`, { q: [2, 5, 4] }),
  row(`${sdpa}(q, k, v, attn_mask=m)`, { ...qkv, m: visible }),
  row(`${sdpa}(q, k, v, attn_mask=m)`, { ...qkv, m: emptyRow }),
  row(`${sdpa}(q, k, v, attn_mask=m)`, { ...qkv, m: [3, 3, 4] }),
  row(`${sdpa}(q, k, v, attn_mask=m)`, { ...qkv, m: added }, { noGradient: noFloatGradient }),
  row(`${sdpa}(q, k, v, dropout_p=1.0)`, qkv),
  row(`${sdpa}(q, k, v, enable_gqa=True)`, { q: [2, 6, 3, 4], k: [2, 2, 5, 4], v: [2, 2, 5, 3] }),
  row(`${sdpa}(q, k, v, is_causal=True, enable_gqa=True)`, {
    q: [1, 4, 3, 4],
    k: [1, 2, 3, 4],
    v: [1, 2, 3, 3],
  }),
  row(`${sdpa}(q, k, v)`, { q: [2, 3, 3, 4], k: [1, 3, 4, 4], v: [3, 4, 5] }),
  row(`${sdpa}(q, k, v)`, { q: [3, 4], k: [2, 4], v: [2, 1] }),

  attention('x, x, x', selfAttention, '4, 2'),
  attention('x, x, x, need_weights=False', selfAttention, '4, 2, batch_first=True'),
  attention(
    'x, x, x, average_attn_weights=False',
    selfAttention,
    '4, 2, bias=False, batch_first=True',
  ),
  attention('x, x, x', { x: [3, 4] }, '4, 2, batch_first=True'),
  attention('q, k, k', crossAttention, '4, 4'),
  attention('q, k, v', crossAttention, '4, 1, add_zero_attn=True'),
  attention('q, k, v', { q: [3, 2, 4], k: [4, 2, 3], v: [4, 2, 5] }, '4, 2, kdim=3, vdim=5'),
  attention('q, k, v, attn_mask=m', { ...crossAttention, m: hidden }, '4, 2, add_bias_kv=True'),
  attention(
    'q, k, v, attn_mask=m, key_padding_mask=p',
    { ...crossAttention, m: hidden, p: mask([0, 0, 0, 1], [0, 0, 0, 0]) },
    '4, 2, add_bias_kv=True, add_zero_attn=True',
  ),
  attention(
    'q, k, v, key_padding_mask=p, need_weights=False',
    { ...crossAttention, p: mask([0, 0, 0, 1], [1, 1, 1, 1]) },
    '4, 2',
  ),
  attention(
    'q, k, v, attn_mask=m, need_weights=False',
    { ...crossAttention, m: [4, 3, 4] },
    '4, 2',
  ),
  attention(
    'q, k, v, attn_mask=m, key_padding_mask=p',
    { ...crossAttention, m: [3, 4], p: [2, 4] },
    '4, 2',
  ),
  attention(
    'q, k, v, attn_mask=m, need_weights=False, is_causal=True',
    { ...crossAttention, m: mask([0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1]) },
    '4, 2',
  ),
  attention('x, x, x', selfAttention, '4, 2, dropout=0.1'),
  row('F.multi_head_attention_forward(x, x, x, 4, 2, w, b, None, None, False, 0.0, o, c)', {
    x: [3, 2, 4],
    w: [12, 4],
    b: [12],
    o: [4, 4],
    c: [4],
  }),

  recurrent('x', steps, 'LSTM(3, 4)'),
  recurrent('x', steps, 'LSTM(3, 4, 2, bidirectional=True)'),
  recurrent(
    'x, (h, c)',
    { ...steps, h: [2, 2, 5], c: [2, 2, 5] },
    'LSTM(3, 5, num_layers=2, bias=False)',
  ),
  recurrent(
    'x, (h, c)',
    { x: [2, 4, 3], h: [2, 2, 2], c: [2, 2, 4] },
    'LSTM(3, 4, batch_first=True, bidirectional=True, proj_size=2)',
  ),
  recurrent('x', steps, 'LSTM(3, 4, 2, proj_size=3, dropout=0.5)'),
  recurrent('x', steps, 'LSTM(3, 4, 3, dropout=1.0)', { training: true }),
  recurrent('x', { x: [4, 3] }, 'LSTM(3, 4, batch_first=True)'),
  recurrent('x, (h, c)', { x: [4, 3], h: [1, 4], c: [1, 4] }, 'LSTM(3, 4)'),
  recurrent('x', steps, 'GRU(3, 4)'),
  recurrent(
    'x, h',
    { x: [2, 4, 3], h: [4, 2, 4] },
    'GRU(3, 4, 2, batch_first=True, bidirectional=True)',
  ),
  recurrent('x', { x: [4, 3] }, 'GRU(3, 4, bias=False)'),
  recurrent('x', steps, 'RNN(3, 4)'),
  recurrent('x, h', { x: [4, 2, 3], h: [4, 2, 4] }, "RNN(3, 4, 2, 'relu', bidirectional=True)"),
  recurrent('x', { x: [2, 4, 3] }, 'RNN(3, 4, bias=False, batch_first=True)'),
  recurrent('x', { x: [2, 3] }, 'LSTMCell(3, 4)'),
  recurrent('x, (h, c)', { x: [3], h: [4], c: [4] }, 'LSTMCell(3, 4, bias=False)'),
  recurrent('x, h', { x: [2, 3], h: [2, 4] }, 'GRUCell(3, 4)'),
  recurrent('x', { x: [2, 3] }, 'GRUCell(3, 4, bias=False)'),
  recurrent('x, h', { x: [2, 3], h: [2, 4] }, "RNNCell(3, 4, nonlinearity='relu')"),
  recurrent('x', { x: [3] }, 'RNNCell(3, 4)'),
]);
