/** Embeddings, attention, recurrence and dropout. */
import { PyTuple } from '../python/collections.ts';
import { unsupported } from '../python/errors.ts';
import { cell, gates, recurrent, type Recurrent } from '../torch/ops/recurrent.ts';
import type { Given } from '../torch/arguments.ts';
import { PyTensor } from '../torch/tensor.ts';
import { withUnused, type Adapter, type Adapters } from './adapter.ts';

const layers =
  'input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first';

/** What the arguments say. A weight tells the sizes: the second one is (gates × hidden, size). */
function recurrentAttrs(op: Recurrent, given: Given) {
  const weights = given.tensors('params');
  const [rows = 0, size = 0] = weights[1]?.shape ?? [];
  const hidden = rows / gates[op];
  const attrs = {
    num_layers: given.size('num_layers', 1),
    bidirectional: given.bool('bidirectional'),
    batch_first: given.bool('batch_first'),
    dropout: given.float('dropout'),
    training: given.bool('train'),
    hidden_size: hidden,
    has_bias: given.bool('has_biases'),
  };
  return { weights, attrs, projection: size === hidden ? 0 : size };
}

function lstm(given: Given): PyTuple {
  // The other overload has the sizes of packed batches here.
  if (given.value('hx') instanceof PyTensor)
    throw unsupported('packed sequences are not supported');
  const { weights, attrs, projection } = recurrentAttrs('lstm', given);
  const all = { ...attrs, proj_size: projection };
  return new PyTuple(recurrent('lstm', given.tensor('input'), given.tensors('hx'), weights, all));
}

const rnn = (nonlinearity: 'tanh' | 'relu'): Adapter => [
  layers,
  (given) => {
    const { weights, attrs } = recurrentAttrs('rnn', given);
    const all = { ...attrs, nonlinearity };
    return new PyTuple(recurrent('rnn', given.tensor('input'), [given.tensor('hx')], weights, all));
  },
];

function gru(given: Given): PyTuple {
  const { weights, attrs } = recurrentAttrs('gru', given);
  return new PyTuple(recurrent('gru', given.tensor('input'), [given.tensor('hx')], weights, attrs));
}

const cellArguments = 'input, hx, w_ih, w_hh, b_ih=None, b_hh=None';

const weightsOf = (given: Given) =>
  [
    given.tensor('w_ih'),
    given.tensor('w_hh'),
    given.tensorOrNone('b_ih'),
    given.tensorOrNone('b_hh'),
  ] as const;

const rnnCell = (nonlinearity: 'tanh' | 'relu'): Adapter => [
  cellArguments,
  (given) => {
    const states = [given.tensor('hx')];
    return cell('rnn_cell', given.tensor('input'), states, weightsOf(given), { nonlinearity })[0]!;
  },
];

export const sequence: Adapters = {
  embedding: [
    'weight, indices, padding_idx=-1, scale_grad_by_freq=False, sparse=False',
    (given, aten) => {
      const padding = given.int('padding_idx');
      return aten.python('F.embedding', [given.value('indices'), given.value('weight')], {
        ...(padding >= 0 && { padding_idx: BigInt(padding) }),
      });
    },
  ],
  lstm: [layers, lstm],
  gru: [layers, gru],
  rnn_tanh: rnn('tanh'),
  rnn_relu: rnn('relu'),
  lstm_cell: [
    cellArguments,
    (given) => {
      const states = given.tensors('hx');
      return new PyTuple(cell('lstm_cell', given.tensor('input'), states, weightsOf(given), {}));
    },
  ],
  gru_cell: [
    cellArguments,
    (given) =>
      cell('gru_cell', given.tensor('input'), [given.tensor('hx')], weightsOf(given), {})[0]!,
  ],
  rnn_tanh_cell: rnnCell('tanh'),
  rnn_relu_cell: rnnCell('relu'),
  dropout: ['input, p, train', 'F.dropout'],
  feature_dropout: ['input, p, train', 'F.dropout2d'],
  native_dropout: [
    'input, p, train',
    (given, aten) => {
      const args = ['input', 'p', 'train'].map((name) => given.value(name));
      return withUnused(aten.python('F.dropout', args), 'the mask of dropout');
    },
  ],
  one_hot: ['self, num_classes=-1', 'F.one_hot'],
  scaled_dot_product_attention: [
    'query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, *, scale=None, enable_gqa=False',
    'F.scaled_dot_product_attention',
  ],
  _scaled_dot_product_flash_attention_for_cpu: [
    'query, key, value, dropout_p=0.0, is_causal=False, *, attn_mask=None, scale=None',
    (given, aten) => {
      const names = 'query key value attn_mask dropout_p is_causal'.split(' ');
      const result = aten.python(
        'F.scaled_dot_product_attention',
        names.map((n) => given.value(n)),
        {
          ...(given.value('scale') !== null && { scale: given.value('scale') }),
        },
      );
      return withUnused(result, 'logsumexp');
    },
  ],
};
