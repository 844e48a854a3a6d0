/** Reading, building and tracing: what is offered, what is refused, and with which words. */
import { readFileSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Value } from '#lib/checkpoint/value.ts';
import type { Graph } from './graph.ts';
import { readSource, type ModelSource, type ModuleTree } from './source.ts';

const header = 'import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n';

function open(text: string, ...siblings: [name: string, text: string][]) {
  const files = [{ name: 'model.py', text }, ...siblings.map(([name, t]) => ({ name, text: t }))];
  const read = readSource(files);
  if (!read.ok) throw new Error(`${read.findings[0]!.where}: ${read.findings[0]!.message}`);
  return read;
}

function build(source: ModelSource, name: string, args: Record<string, Value> = {}): ModuleTree {
  const built = source.build(name, new Map(Object.entries(args)));
  if (!built.ok) throw new Error(`${built.findings[0]!.where}: ${built.findings[0]!.message}`);
  return built.module;
}

function trace(tree: ModuleTree, shapes: number[][], training = false): Graph {
  const inputs = shapes.map((shape) => ({ shape, dtype: 'float32' as const }));
  const traced = tree.trace(inputs, { training });
  if (!traced.ok) throw new Error(`${traced.findings[0]!.where}: ${traced.findings[0]!.message}`);
  return traced.graph;
}

/** A class whose `__init__` starts in line 7, and its `forward` three lines below. */
function net(init: string, forward: string[]): string {
  const lines = ['class Net(nn.Module):', '    def __init__(self):', '        super().__init__()'];
  lines.push(`        ${init}`, '', '    def forward(self, x, y=None):');
  return header + [...lines, ...forward.map((line) => `        ${line}`)].join('\n');
}

function ops(graph: Graph): string[] {
  return graph.nodes.map(({ op }) => op).filter((op) => op !== 'parameter' && op !== 'input');
}

describe('candidates', () => {
  it('come with the likely root first', () => {
    const { source } = open(`${header}
class Block(nn.Module):
    def __init__(self, width, act=nn.ReLU):
        super().__init__()

class Unused(nn.Module):
    def __init__(self, depth: int, *, rate: float = 1e-3, name='a"b', sizes=(1, 2.), **kw):
        super().__init__()

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = Block(3)

class Child(Block):
    pass

def helper(x):
    return x

def tiny(width=4):
    model = Block(width)
    return model

finished = nn.Sequential(nn.Linear(2, 2))
`);
    expect(source.candidates.map(({ kind, name, line }) => [kind, name, line])).toEqual([
      ['instance', 'finished', 28],
      ['class', 'Net', 13],
      ['function', 'tiny', 24],
      ['class', 'Unused', 9],
      ['class', 'Child', 18],
      ['class', 'Block', 5],
    ]);
    expect(source.candidates[3]!.arguments).toEqual([
      { name: 'depth', annotation: 'int' },
      { name: 'rate', annotation: 'float', default: '0.001' },
      { name: 'name', default: `'a"b'` },
      { name: 'sizes', default: '(1, 2.0)' },
    ]);
    expect(source.candidates[4]!.arguments).toEqual([
      { name: 'width' },
      { name: 'act', default: 'nn.ReLU' },
    ]);
  });

  it('that are unknown or lack arguments are refused', () => {
    const { source } = open(
      `${header}class Net(nn.Module):\n    def __init__(self, a):\n        pass`,
    );
    expect(() => build(source, 'Other')).toThrow(
      'there is no model "Other" in the source; it has: Net',
    );
    expect(() => build(source, 'Net')).toThrow('line 4: __init__() is missing the argument "a"');
    expect(() => build(source, 'Net', { a: 1n, b: 2n })).toThrow('unexpected keyword argument "b"');
  });
});

describe('the top level', () => {
  it('warns of what it cannot run, and refuses the names that depended on it', () => {
    const { source, warnings } = open(`${header}
import numpy as np
data = np.zeros(3)
state = torch.load("model.pt")
width, height = data.shape
try:
    import flash
except ImportError:
    flash = None

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(width, 2)

class Fine(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(2, 2) if flash is None else None

fine = Fine()
fine.load_state_dict(state)
broken = nn.Sequential(nn.Linear(2, 2))
alias = broken
broken.append(np.Layer())
for epoch in range(3):
    loss = fine(data)
`);
    expect(warnings.map(({ where, message }) => `${where}: ${message}`)).toEqual([
      'model.py line 6: numpy.zeros is not supported',
      'model.py line 7: torch.load is not supported',
      'model.py line 8: data is unavailable because line 6: numpy.zeros is not supported',
      'model.py line 25: Module.load_state_dict is not supported',
      'model.py line 28: numpy.Layer is not supported',
      'model.py line 30: class Fine has no forward()',
    ]);
    expect(warnings.every(({ severity }) => severity === 'warning')).toBe(true);
    expect(source.candidates.map(({ name }) => name)).toEqual(['fine', 'Net', 'Fine']);
    expect(() => build(source, 'Net')).toThrow(
      'model.py line 17: width is unavailable because line 8: data is unavailable because line 6: numpy.zeros is not supported',
    );
    expect(build(source, 'fine').parameterOrder).toEqual(['a.weight', 'a.bias']);
  });

  it('imports other files by name', () => {
    const { source } = open(
      `${header}from .blocks import Block as B, width\nimport blocks\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.b = B(blocks.width)\n`,
      [
        'blocks.py',
        `${header}width = 3\nclass Block(nn.Linear):\n    def __init__(self, n):\n        super().__init__(n, no)\n`,
      ],
    );
    expect(() => build(source, 'Net')).toThrow('blocks.py line 7: name "no" is not defined');
    expect(source.candidates.map(({ name, file }) => [name, file])).toContainEqual([
      'Block',
      'blocks.py',
    ]);
  });
});

describe('the graph', () => {
  it('knows where its nodes come from', () => {
    const { source } = open(
      net('self.a = nn.Sequential(nn.Linear(4, 2), nn.ReLU())', ['x = self.a(x)', 'return x']),
    );
    const graph = trace(build(source, 'Net'), [[3, 4]]);
    expect(graph.nodes.find(({ op }) => op === 'linear')).toEqual({
      op: 'linear',
      inputs: [0, 1, 2],
      attrs: {},
      shape: [3, 2],
      dtype: 'float32',
      origin: { module: 'a.0', file: 'model.py', line: 10 },
    });
  });

  it('has no dead nodes, but keeps the running statistics of a BatchNorm', () => {
    const text = net('self.a = nn.Linear(4, 4); self.b = nn.BatchNorm1d(4)', [
      'self.b(x)',
      'unused = self.a(x)',
      'return F.relu(x)',
    ]);
    const tree = build(open(text).source, 'Net');
    expect(ops(trace(tree, [[3, 4]]))).toEqual(['relu']);
    expect(ops(trace(tree, [[3, 4]], true))).toEqual(['batch_norm', 'relu']);
  });

  it('does not depend on the traces before it', () => {
    const text = net('self.count = 0', [
      'self.count += 1',
      'self.last = x',
      'return x + self.count',
    ]);
    const tree = build(open(text).source, 'Net');
    expect(trace(tree, [[3]])).toEqual(trace(tree, [[3]]));
  });

  it('takes optional inputs and names them', () => {
    const tree = build(open(net('pass', ['return x if y is None else x + y'])).source, 'Net');
    expect(tree.inputs).toEqual(['x']);
    expect(ops(trace(tree, [[2, 3]]))).toEqual([]);
    expect(trace(tree, [[2, 3], [3]]).nodes.map(({ attrs }) => attrs)).toMatchObject([
      { name: 'x', index: 0 },
      { name: 'y', index: 1 },
      { alpha: 1, scalar: 0 },
    ]);
    expect(() => trace(tree, [])).toThrow('forward() takes 1 inputs (x), 0 are given');
  });

  it('drops out in training by default, as F.dropout does', () => {
    const graph = trace(build(open(net('pass', ['return F.dropout(x)'])).source, 'Net'), [[3]]);
    expect(graph.nodes.at(-1)!.attrs).toEqual({ p: 0.5, training: true });
  });

  it('keeps layers in evaluation that a class keeps there', () => {
    const text = `${header}
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout()
    def train(self, mode=True):
        super().train(mode)
        self.drop.eval()
        return self
    def forward(self, x):
        return self.drop(x)
`;
    const graph = trace(build(open(text).source, 'Net'), [[3]], true);
    expect(graph.training).toBe(true);
    expect(graph.nodes.at(-1)!.attrs).toMatchObject({ training: false });
  });
});

describe('refused in forward, with the line', () => {
  it.each([
    [
      'a branch on values',
      'pass',
      ['if x: pass', 'return x'],
      /line 10: code that depends on the values/,
    ],
    [
      'a branch on a comparison',
      'pass',
      ['return x if x > 0 else 0'],
      /line 10: code that depends on the values/,
    ],
    [
      'an unknown function',
      'pass',
      ['y = 1', 'return torch.fft.rfft(x)'],
      /line 11: torch.fft.rfft is not supported/,
    ],
    [
      'an unknown layer',
      'self.a = nn.FractionalMaxPool3d(2)',
      ['return x'],
      /line 7: torch.nn.FractionalMaxPool3d is not supported/,
    ],
    [
      'an unknown method',
      'pass',
      ['return x.cumprod_(0)'],
      /line 10: Tensor.cumprod_ is not supported/,
    ],
    [
      'an unknown operator',
      'pass',
      ['return x << x'],
      /line 10: "<<" on a tensor is not supported/,
    ],
    ['an index of a bool', 'pass', ['return x[True]'], /line 10: True as an index is not/],
    [
      'a packed sequence',
      'pass',
      ['return nn.utils.rnn.pack_padded_sequence(x, [2])'],
      /line 10: packed sequences are not supported: give the padded batch itself/,
    ],
    [
      'an int that no size can be',
      'self.a = nn.Linear(10**30, 1)',
      ['return x'],
      /line 7: Linear: in_features is too large/,
    ],
    [
      'an index out of range',
      'pass',
      ['return x[:, 4]'],
      /line 10: index 4 is out of range for dim/,
    ],
    ['an index list out of range', 'pass', ['return x[[2]]'], /line 10: index: index 2 is out of/],
    ['too many indices', 'pass', ['return x[0, 0, 0]'], /line 10: 3 indices for a 2-d tensor/],
    ['a backward slice', 'pass', ['return x[::-1]'], /line 10: the step of a slice of a tensor/],
    ['an index by numbers', 'pass', ['return x[x]'], /line 10: a tensor of float32 is no index/],
    [
      'a matrix that does not fit',
      'pass',
      ['return x @ x'],
      /matmul: shapes \[1, 4\] and \[1, 4\]/,
    ],
    [
      'a sum over a wrong axis',
      'pass',
      ['return torch.einsum("ij->k", x)'],
      /a letter twice, or one/,
    ],
    ['einsum by sublists', 'pass', ['return torch.einsum(x, [0, 1])'], /einsum with sublists/],
    [
      'a change of an expanded tensor',
      'pass',
      ['y = x.expand(3, 4)', 'y += 1'],
      /share their memory/,
    ],
    ['a view of another size', 'pass', ['return x.view(3)'], /view: shape \[3\] is invalid for/],
    ['a wrong join', 'pass', ['return torch.cat([x, x.t()])'], /cat: shapes \[1, 4\] and \[4, 1\]/],
    ['a wide reflection', 'pass', ['return F.pad(x, (4, 0), "reflect")'], /at most 3 are possible/],
    ['a shape by values', 'pass', ['return x.nonzero()'], /line 10: nonzero is not supported/],
    [
      'an unsupported argument',
      'self.a = nn.Conv2d(1, 1, 3, padding_mode="mirror")',
      ['return self.a(x)'],
      /line 7: Conv2d: padding_mode must be one of/,
    ],
    [
      'return_indices',
      'self.a = nn.MaxPool3d(1, return_indices=True)',
      ['return self.a(x.view(1, 1, 1, 2, 2))'],
      /line 10: max_pool3d with return_indices/,
    ],
    [
      'another dtype',
      'self.a = nn.Linear(1, 1, dtype=torch.float16)',
      ['return x'],
      /line 7: a layer of dtype float16/,
    ],
    ['a conversion', 'pass', ['return x.to(torch.float16)'], /line 10: to of float16 in forward/],
    [
      'a hook',
      'self.register_forward_hook(lambda *a: None)',
      ['return x'],
      /line 7: Module.register_forward_hook: hooks are not supported/,
    ],
    [
      'a tensor of unknown numbers',
      'self.a = torch.rand(4)',
      ['return x + self.a'],
      /line 10: the numbers of a tensor made by torch.rand are not known, and it is neither/,
    ],
    [
      'the numbers that an initialiser gave',
      'self.a = torch.ones(4); nn.init.normal_(self.a)',
      ['return x + self.a'],
      /line 10: the numbers of a tensor made by torch.ones are not known/,
    ],
    [
      'an initialiser in forward',
      'self.a = nn.Linear(4, 4)',
      ['nn.init.zeros_(self.a.weight)', 'return x'],
      /line 10: torch.nn.init.zeros_ in forward/,
    ],
    [
      'a change of a parameter',
      'self.a = nn.Parameter(torch.zeros(4))',
      ['self.a += 1', 'return x'],
      /line 10: changing a parameter or buffer in place/,
    ],
    [
      'a stale view',
      'pass',
      ['flat = x.flatten()', 'x += 1', 'return flat'],
      /view of a tensor that was then changed/,
    ],
    [
      'a stale base',
      'pass',
      ['flat = x.reshape(-1)', 'F.relu(flat, inplace=True)', 'return x + 1'],
      /line 12: a view of a tensor/,
    ],
    [
      'a number among the outputs',
      'pass',
      ['return {"x": [x, 1]}'],
      /forward returns a int at x.1, tensors are needed/,
    ],
    ['a generator', 'pass', ['return self.items()'], /no attribute "items"/],
    [
      'a new mode',
      'self.a = nn.ReLU()',
      ['self.a.eval()', 'return x'],
      /line 10: Module.eval in forward/,
    ],
    [
      'a set as an order',
      'self.n = [n for n in {1, 2}]',
      ['return x'],
      /line 7: the order of a set/,
    ],
    [
      'f-strings of tensors',
      'pass',
      ['print(f"{x}")', 'return x'],
      /line 10: the text of a tensor/,
    ],
    [
      'a missing half',
      'self.a = nn.Sequential(nn.ReLU(), nn.FractionalMaxPool3d(2))',
      ['return x'],
      /line 7: torch.nn.FractionalMaxPool3d is not supported/,
    ],
  ])('%s', (_, init, forward, message) => {
    const { source } = open(net(init, forward));
    expect(() => trace(build(source, 'Net'), [[1, 4]])).toThrow(message);
  });

  it('torch.no_grad in training, not in evaluation', () => {
    const { source } = open(net('pass', ['with torch.no_grad():', '    return F.relu(x)']));
    const tree = build(source, 'Net');
    expect(ops(trace(tree, [[1, 4]]))).toEqual(['relu']);
    expect(() => trace(tree, [[1, 4]], true)).toThrow('line 10: torch.no_grad in forward');
  });

  it('what a part of torch that is written in Python refuses', () => {
    const init = 'self.a = nn.utils.spectral_norm(nn.Linear(4, 2))';
    const tree = build(open(net(init, ['y = 1', 'return self.a(x)'])).source, 'Net');
    const quotient = trace(tree, [[1, 4]]).nodes.find(({ op }) => op === 'div');
    expect(quotient!.origin).toEqual({ module: 'a', file: 'model.py', line: 11 });
    expect(() => trace(tree, [[1, 4]], true)).toThrow(
      'model.py line 11: spectral_norm in training is not supported',
    );
  });

  it('a generator function, when it is called', () => {
    const { source, warnings } = open(`${header}def items():\n    yield 1\nmodel = nn.ReLU()`);
    expect(warnings).toEqual([]);
    expect(source.candidates.map(({ name }) => name)).toEqual(['model']);
  });
});

describe('fixtures', () => {
  const folder = resolve(import.meta.dirname, '../../../tests/fixtures/models');
  it.each(readdirSync(folder).filter((name) => name.endsWith('.py')))('%s is read', (name) => {
    const { source } = open(readFileSync(resolve(folder, name), 'utf8'));
    expect(source.candidates.length).toBeGreaterThan(0);
  });
});
