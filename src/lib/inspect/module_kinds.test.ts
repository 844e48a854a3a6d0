import { expect, it } from 'vitest';
import { moduleKinds } from './module_kinds.ts';

const tensors = Object.entries({
  'conv1.weight': [16, 3, 3, 3],
  'bn1.weight': [16],
  'bn1.bias': [16],
  'bn1.running_mean': [16],
  'bn1.num_batches_tracked': [],
  'ln.weight': [8],
  'ln.bias': [8],
  'fc.weight': [10, 16],
  'fc.bias': [10],
  'head.weight': [10, 16],
  'rnn.weight_ih_l0': [40, 10],
  'rnn.bias_hh_l0': [40],
  'attn.in_proj_weight': [30, 10],
  logit_scale: [],
  step: [],
}).map(([name, shape]) => ({ name, shape }));

it('tells modules by the tensors that stand together', () => {
  const kinds = moduleKinds(tensors);
  expect(Object.fromEntries(tensors.map(({ name }, at) => [name, kinds[at]]))).toEqual({
    'conv1.weight': 'Conv2d',
    'bn1.weight': 'BatchNorm, InstanceNorm',
    'bn1.bias': 'BatchNorm, InstanceNorm',
    'bn1.running_mean': 'BatchNorm, InstanceNorm',
    'bn1.num_batches_tracked': 'BatchNorm, InstanceNorm',
    'ln.weight': 'LayerNorm, GroupNorm, RMSNorm',
    'ln.bias': 'LayerNorm, GroupNorm, RMSNorm',
    'fc.weight': 'Linear',
    'fc.bias': 'Linear',
    'head.weight': 'Linear, Embedding',
    'rnn.weight_ih_l0': 'LSTM, GRU, RNN',
    'rnn.bias_hh_l0': 'LSTM, GRU, RNN',
    'attn.in_proj_weight': 'MultiheadAttention',
    logit_scale: null,
    step: null,
  });
});
