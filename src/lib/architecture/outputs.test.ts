import { expect, it } from 'vitest';
import { readSource } from './source.ts';

/** Names of what `forward` returns, and how many nodes stand behind them. */
function outputNames(result: string): readonly string[] {
  const text = `
from dataclasses import dataclass
from torch import nn
import torch

@dataclass
class Output:
    logits: torch.Tensor
    loss: torch.Tensor = None
    hidden: tuple = None

class Net(nn.Module):
    def forward(self, x):
        return ${result}
`;
  const read = readSource([{ name: 'net.py', text }]);
  if (!read.ok) throw new Error(read.findings[0]!.message);
  const built = read.source.build('Net');
  if (!built.ok) throw new Error(built.findings[0]!.message);
  const traced = built.module.trace([{ shape: [2], dtype: 'float32' }], { training: false });
  if (!traced.ok) throw new Error(traced.findings[0]!.message);
  expect(traced.graph.outputs).toHaveLength(traced.graph.outputNames.length);
  return traced.graph.outputNames;
}

it('names outputs by the way to them and leaves out None', () => {
  expect(outputNames('x')).toEqual(['output']);
  expect(outputNames('x, (x + 1, [x + 2, None])')).toEqual(['0', '1.0', '1.1.0']);
  expect(outputNames('{"logits": x, "aux": None, "more": {1: x}}')).toEqual(['logits', 'more.1']);
  expect(outputNames('Output(x, hidden=(x, x))')).toEqual(['logits', 'hidden.0', 'hidden.1']);
});

it('refuses results without tensors, and lists that hold themselves', () => {
  expect(() => outputNames('None')).toThrow('forward returns a NoneType, tensors are needed');
  expect(() => outputNames('[x, "text"]')).toThrow(
    'forward returns a str at 1, tensors are needed',
  );
  expect(() => outputNames('(lambda l: l.append(l) or l)([x])')).toThrow('deeper than 16');
});
