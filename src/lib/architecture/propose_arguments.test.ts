import { describe, expect, it } from 'vitest';
import { tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { Dict, dict } from '#lib/checkpoint/value.ts';
import { configurationOf } from './hints.ts';
import { proposeArguments } from './propose_arguments.ts';
import { readSource } from './source.ts';

const source = `
from dataclasses import dataclass
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, inputs, hidden, classes=10, depth=1, dropout=0.5):
        super().__init__()
        self.first = nn.Linear(inputs, hidden)
        self.more = nn.ModuleList([nn.Linear(hidden, hidden) for _ in range(depth)])
        self.head = nn.Linear(hidden, classes)
        self.drop = nn.Dropout(dropout)

@dataclass
class NetConfig:
    inputs: int = 3
    hidden: int = 4
    bias: bool = True

class Configured(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.first = nn.Linear(config.inputs, config.hidden, bias=config.bias)
`;

function propose(name: string, shapes: Record<string, number[]>, config = dict({})) {
  const read = readSource([{ name: 'model.py', text: source }]);
  if (!read.ok) throw new Error(read.findings[0]!.message);
  const candidate = read.source.candidates.find((item) => item.name === name)!;
  const state = new Dict(
    Object.entries(shapes).map(([key, shape]) => {
      const size = shape.reduce((a, b) => a * b, 4);
      return [key, tensorFromBytes(new Uint8Array(size), 'float32', shape)];
    }),
  );
  const hints = configurationOf({ root: dict({ model_args: config }) });
  return Object.fromEntries(proposeArguments(read.source, candidate, state, hints));
}

const net = {
  'first.weight': [32, 20],
  'first.bias': [32],
  'more.0.weight': [32, 32],
  'more.0.bias': [32],
  'more.1.weight': [32, 32],
  'more.1.bias': [32],
  'head.weight': [7, 32],
  'head.bias': [7],
};

describe('proposeArguments', () => {
  it('finds widths and depths by the shapes', () => {
    expect(propose('Net', net)).toEqual({
      inputs: { text: '20', from: 'shapes' },
      hidden: { text: '32', from: 'shapes' },
      classes: { text: '7', from: 'shapes' },
      depth: { text: '2', from: 'shapes' },
    });
  });

  it('takes what the configuration says', () => {
    const config = dict({ inputs: 20n, hidden: 32n, classes: 7n, depth: 2n, dropout: 0.1 });
    expect(propose('Net', net, config)).toEqual({
      inputs: { text: '20', from: 'configuration' },
      hidden: { text: '32', from: 'configuration' },
      classes: { text: '7', from: 'configuration' },
      depth: { text: '2', from: 'configuration' },
      dropout: { text: '0.1', from: 'configuration' },
    });
  });

  it('fills the fields of a dataclass', () => {
    expect(propose('Configured', { 'first.weight': [6, 5] })).toEqual({
      config: { text: 'NetConfig(inputs=5, hidden=6, bias=False)', from: 'shapes' },
    });
  });

  it('proposes nothing where nothing fits', () => {
    expect(propose('Net', { 'other.weight': [3, 3] })).toEqual({});
  });
});
