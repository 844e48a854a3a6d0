import { expect, it } from 'vitest';
import { multiplyAdds } from './multiply_adds.ts';
import { readSource } from './source.ts';

/** Of the ops of one line of forward over x (2, 3, 8); `made` builds what it uses. */
function count(line: string, made = 'pass'): number {
  const text = `
import torch
from torch import nn
from torch.nn import functional as F

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        ${made}

    def forward(self, x):
        return ${line}
`;
  const read = readSource([{ name: 'net.py', text }]);
  if (!read.ok) throw new Error(read.findings[0]!.message);
  const built = read.source.build('Net');
  if (!built.ok) throw new Error(built.findings[0]!.message);
  const traced = built.module.trace([{ shape: [2, 3, 8], dtype: 'float32' }], { training: false });
  if (!traced.ok) throw new Error(traced.findings[0]!.message);
  const { graph } = traced;
  return [...graph.nodes.keys()].reduce((sum, id) => sum + multiplyAdds(graph, id), 0);
}

it.each([
  ['x @ x.transpose(1, 2)', 'pass', 2 * 3 * 3 * 8],
  ["torch.einsum('bij,bkj->bik', x, x)", 'pass', 2 * 3 * 3 * 8],
  ['self.m(x)', 'self.m = nn.Conv1d(3, 6, 3, padding=1, groups=3)', 2 * 6 * 8 * 3],
  ['self.m(x)', 'self.m = nn.ConvTranspose1d(3, 6, 2, stride=2)', 2 * 3 * 8 * 6 * 2],
  ['self.m(x, x)', 'self.m = nn.Bilinear(8, 8, 5)', 2 * 3 * 5 * 8 * 8],
  // Two directions of two layers; the second one reads both.
  [
    'self.m(x)[0]',
    'self.m = nn.LSTM(8, 4, num_layers=2, bidirectional=True)',
    2 * 3 * (2 * 16 * (8 + 4) + 2 * 16 * (8 + 4)),
  ],
  ['self.m(x[0], torch.zeros(3, 4))', 'self.m = nn.GRUCell(8, 4)', 3 * 12 * (8 + 4)],
  // (L, N, E), with a learned key and one of zeros behind the others.
  [
    'self.m(x, x, x, need_weights=False)[0]',
    'self.m = nn.MultiheadAttention(8, 2, add_bias_kv=True, add_zero_attn=True)',
    4 * 2 * 3 * 8 * 8 + 2 * 3 * 2 * (2 + 2) * 8,
  ],
  ['F.relu(x) + x', 'pass', 0],
])('%s with %s', (line, made, expected) => {
  expect(count(line, made)).toBe(expected);
});
