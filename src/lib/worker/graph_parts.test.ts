import { expect, it } from 'vitest';
import { readSource } from '#lib/architecture/source.ts';
import { partsOf } from './graph_parts.ts';

const text = `
import torch
from torch import nn
from torch.nn import functional as F

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.spare = nn.Linear(2, 2)
        self.lstm = nn.LSTM(3, 4, batch_first=True)
        self.act = nn.ReLU()
        self.layers = nn.ModuleList([nn.Linear(4, 4, bias=False), nn.Linear(4, 4)])
        self.layers[1].weight = self.layers[0].weight

    def forward(self, x):
        y, (h, c) = self.lstm(x)
        for layer in self.layers:
            y = self.act(layer(y))
        return F.softmax(y + h[0], -1), y, y
`;

/** The parts of the model; the time and memory of a node are its number. */
function parts() {
  const read = readSource([{ name: 'net.py', text }]);
  if (!read.ok) throw new Error(read.findings[0]!.message);
  const built = read.source.build('Net');
  if (!built.ok) throw new Error(built.findings[0]!.message);
  const traced = built.module.trace([{ shape: [1, 5, 3], dtype: 'float32' }], { training: false });
  if (!traced.ok) throw new Error(traced.findings[0]!.message);
  const { graph } = traced;
  const figures = graph.nodes.map((_, id) => id);
  const profile = { milliseconds: figures, bytes: figures, whole: 0, passes: 1, wait: 0 };
  return { graph, parts: partsOf(built.module, graph, profile) };
}

it('are modules with the ops between them, in the order in which they ran', () => {
  const depths: number[] = [];
  const lines = parts().parts.map((part) => {
    const { parent, name, type, parameters, ownParameters, outputs, ran, line } = part;
    const depth = parent === null ? 0 : depths[parent]! + 1;
    depths.push(depth);
    const shapes = outputs.map(({ shape }) => shape.join('x')).join(' ') || '-';
    const facts = [name, type, `${ownParameters}/${parameters}`, shapes, ran ? line : 'idle'];
    return '  '.repeat(depth) + facts.filter(Boolean).join(' ');
  });
  expect(lines).toEqual([
    'Net Net 0/170 1x5x4 1x5x4 1x5x4',
    '  x 0/0 1x5x3',
    '  lstm LSTM(3, 4, batch_first=True) 144/144 1x5x4 net.py line 16',
    '  layers ModuleList 0/20 -',
    '    0 Linear(4, 4, bias=False) 16/16 1x5x4 net.py line 18',
    '    1 Linear(4, 4) 20/20 1x5x4 net.py line 18',
    '  act ReLU 0/0 1x5x4',
    '    relu 0/0 1x5x4 net.py line 18',
    '    relu 0/0 1x5x4 net.py line 18',
    '  reshape 0/0 1x4 net.py line 19',
    '  add 0/0 1x5x4 net.py line 19',
    '  softmax 0/0 1x5x4 net.py line 19',
    '  spare Linear(2, 2) 6/6 - idle',
  ]);
});

it('take the time of all their ops, and the memory of the one that needs most', () => {
  const { graph, parts: all } = parts();
  const silent = new Set(['input', 'parameter', 'pick', 'constant']);
  const own = [...graph.nodes.keys()].filter((id) => !silent.has(graph.nodes[id]!.op));
  expect(all[0]).toMatchObject({
    milliseconds: own.reduce((sum, id) => sum + id),
    bytes: Math.max(...own),
  });
  const relus = own.filter((id) => graph.nodes[id]!.op === 'relu');
  expect(all.find(({ name }) => name === 'act')).toMatchObject({
    milliseconds: relus.reduce((sum, id) => sum + id),
    bytes: Math.max(...relus),
  });
});
