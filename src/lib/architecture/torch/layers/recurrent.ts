/** LSTM, GRU and RNN of `torch.nn`, and their cells. */
import { PyList, PyTuple } from '../../python/collections.ts';
import { raised } from '../../python/errors.ts';
import { typeName, type PyValue } from '../../python/object.ts';
import type { Given } from '../arguments.ts';
import { fillUniform } from '../init.ts';
import type { Attributes, Building, Layer, Layers } from '../layer.ts';
import * as ops from '../ops/index.ts';
import { PyTensor } from '../tensor.ts';

const common =
  'bias=True, batch_first=False, dropout=0, bidirectional=False, proj_size=0, device=None, dtype=None';

const layer = (op: ops.Recurrent, signature: string): Layer => ({
  signature,
  call: 'input, hx=None',
  inert: ['flatten_parameters'],
  build: (building) => buildLayer(op, building),
  reset: (self) => resetWeights(self, weightKeys(self)),
  forward(call, self) {
    const states = statesOf(op, call.value('hx'));
    const weights = weightKeys(self).map((name) => self.tensor(name));
    const attrs = {
      num_layers: self.size('num_layers', 1),
      bidirectional: self.bool('bidirectional'),
      batch_first: self.bool('batch_first'),
      dropout: self.float('dropout'),
      training: self.bool('training'),
      hidden_size: self.size('hidden_size', 1),
      has_bias: self.bool('bias'),
    };
    const x = call.tensor('input');
    switch (op) {
      case 'lstm': {
        const all = { ...attrs, proj_size: self.size('proj_size') };
        const [y, h, c] = ops.recurrent(op, x, states, weights, all);
        return new PyTuple([y!, new PyTuple([h!, c!])]);
      }
      case 'gru':
        return new PyTuple(ops.recurrent(op, x, states, weights, attrs));
      case 'rnn': {
        const nonlinearity = self.word('nonlinearity', ['tanh', 'relu']);
        return new PyTuple(ops.recurrent(op, x, states, weights, { ...attrs, nonlinearity }));
      }
      default:
        throw new Error(`no layer ${op satisfies never}`);
    }
  },
});

function buildLayer(op: ops.Recurrent, { given, parameter, set }: Building): void {
  const hidden = given.size('hidden_size', 1);
  const layers = given.size('num_layers', 1);
  const projection = given.size('proj_size');
  const dropout = given.float('dropout');
  if (!(dropout >= 0 && dropout <= 1)) {
    throw raised('ValueError', `${op}: dropout has to be between 0 and 1, not ${dropout}`);
  }
  if (projection > 0 && (op !== 'lstm' || projection >= hidden)) {
    throw raised('ValueError', `${op}: proj_size ${projection} with hidden_size ${hidden}`);
  }
  set('bias', given.bool('bias'));
  set(
    'mode',
    op === 'rnn' ? `RNN_${String(given.value('nonlinearity')).toUpperCase()}` : op.toUpperCase(),
  );
  const size = projection || hidden;
  const directions = given.bool('bidirectional') ? 2 : 1;
  for (let index = 0; index < layers; index++) {
    const inputs = index === 0 ? given.size('input_size', 1) : directions * size;
    for (const suffix of suffixes(index, directions)) {
      for (const name of ops.weightNames(given.bool('bias'), projection > 0)) {
        parameter(`${name}${suffix}`, ops.weightShape(op, name, { inputs, hidden, size }));
      }
    }
  }
}

/** All of them within ±1 / √hidden_size. */
function resetWeights(self: Attributes, names: readonly string[]): void {
  const bound = 1 / Math.sqrt(self.size('hidden_size', 1));
  for (const name of names) {
    const weight = self.held(name);
    if (weight) fillUniform(weight, -bound, bound);
  }
}

function suffixes(layer: number, directions: number): string[] {
  return [`_l${layer}`, `_l${layer}_reverse`].slice(0, directions);
}

function weightKeys(self: Given): string[] {
  const names = ops.weightNames(self.bool('bias'), self.size('proj_size') > 0);
  const directions = self.bool('bidirectional') ? 2 : 1;
  return Array.from({ length: self.size('num_layers', 1) }, (_, index) =>
    suffixes(index, directions).flatMap((suffix) => names.map((name) => `${name}${suffix}`)),
  ).flat();
}

/** Initial states: None, a tensor, or for an LSTM two of them. */
function statesOf(op: string, hx: PyValue): (PyTensor | null)[] {
  const isLstm = op.startsWith('lstm');
  if (hx === null) return isLstm ? [null, null] : [null];
  if (!isLstm && hx instanceof PyTensor) return [hx];
  const items = hx instanceof PyTuple || hx instanceof PyList ? hx.items : [];
  const tensors = items.filter((item) => item instanceof PyTensor);
  if (isLstm && tensors.length === 2 && items.length === 2) return tensors;
  const needed = isLstm ? 'a tuple of two tensors' : 'a tensor';
  throw raised('TypeError', `${op}: the state must be ${needed}, not ${typeName(hx)}`);
}

const cell = (op: 'lstm_cell' | 'gru_cell' | 'rnn_cell', more = ''): Layer => ({
  signature: `input_size, hidden_size, bias=True${more}, device=None, dtype=None`,
  call: 'input, hx=None',
  build({ given, parameter, set }) {
    const hidden = given.size('hidden_size', 1);
    const hasBias = given.bool('bias');
    const rows = ops.gates[op.replace('_cell', '') as ops.Recurrent] * hidden;
    set('bias', hasBias);
    parameter('weight_ih', [rows, given.size('input_size', 1)]);
    parameter('weight_hh', [rows, hidden]);
    parameter('bias_ih', hasBias ? [rows] : null);
    parameter('bias_hh', hasBias ? [rows] : null);
  },
  reset: (self) => resetWeights(self, ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh']),
  forward(call, self) {
    const x = call.tensor('input');
    const states = statesOf(op, call.value('hx'));
    const weights = [
      self.tensor('weight_ih'),
      self.tensor('weight_hh'),
      self.tensorOrNone('bias_ih'),
      self.tensorOrNone('bias_hh'),
    ] as const;
    if (op === 'lstm_cell') return new PyTuple(ops.cell(op, x, states, weights, {}));
    if (op === 'gru_cell') return ops.cell(op, x, states, weights, {})[0]!;
    const nonlinearity = self.word('nonlinearity', ['tanh', 'relu']);
    return ops.cell(op, x, states, weights, { nonlinearity })[0]!;
  },
});

export const layers: Layers = {
  LSTM: layer('lstm', `input_size, hidden_size, num_layers=1, ${common}`),
  GRU: layer('gru', `input_size, hidden_size, num_layers=1, ${common}`),
  RNN: layer('rnn', `input_size, hidden_size, num_layers=1, nonlinearity='tanh', ${common}`),
  LSTMCell: cell('lstm_cell'),
  GRUCell: cell('gru_cell'),
  RNNCell: cell('rnn_cell', ", nonlinearity='tanh'"),
};
