import { describe, expect, test } from 'vitest';
import { tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { dict } from '#lib/checkpoint/value.ts';
import { bind, startsFresh } from './binding.ts';
import { editModel, type Edited } from './edit_model.ts';
import { allBut, noEdits, type Lora, type ModelEdits } from './edits.ts';
import { headOf } from './head.ts';
import { readSource, type ModuleTree } from './source.ts';

const text = `
import torch
from torch import nn
import torch.nn.functional as F

class Classifier(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU())
        self.fc = nn.Linear(8, classes)
        self.aux = nn.Linear(8, 2)
        self.num_classes = classes

    def forward(self, x):
        return torch.softmax(self.fc(self.features(x)).view(-1, self.num_classes), 1)

class Squeeze(nn.Module):
    def __init__(self):
        super().__init__()
        self.classifier = nn.Sequential(
            nn.Dropout(), nn.Conv2d(3, 10, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1))

    def forward(self, x):
        return torch.flatten(self.classifier(x), 1)

class Conv1D(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return x @ self.weight + self.bias

class Mixed(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(5, 4)
        self.attn = nn.MultiheadAttention(4, 2)
        self.q_proj = nn.Linear(4, 4)
        self.c_proj = Conv1D(4, 6)
        self.used = nn.Linear(6, 4, bias=False)
        self.head = nn.Linear(4, 5, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, x):
        x = self.q_proj(self.embed(x))
        x = self.attn(x, x, x)[0]
        return self.head(F.linear(self.c_proj(x), self.used.weight))
`;

function build(name: string): ModuleTree {
  const read = readSource([{ name: 'model.py', text }]);
  const built = read.ok ? read.source.build(name) : read;
  if (!built.ok) throw new Error(built.findings[0]!.message);
  return built.module;
}

function edited(module: ModuleTree, edits: Partial<ModelEdits>): Edited {
  const result = editModel(module, { ...noEdits, ...edits });
  if (!result.ok) throw new Error(result.findings[0]!.message);
  return result;
}

function graphOf(module: ModuleTree, shape: number[], training = false, dtype = 'float32') {
  const traced = module.trace([{ shape, dtype: dtype as 'float32' }], { training });
  if (!traced.ok) throw new Error(traced.findings[0]!.message);
  return traced.graph;
}

const lora = (targets: string[], more: Partial<Lora> = {}): Partial<ModelEdits> => ({
  lora: { rank: 2, alpha: 4, dropout: 0, targets, ...more },
});
const keys = ({ state }: ModuleTree) => state.map(({ key }) => key);
const trained = ({ state }: ModuleTree) =>
  state.filter(({ requiresGrad }) => requiresGrad).map(({ key }) => key);

describe('the head', () => {
  test('is what the output is a product of', () => {
    const module = build('Classifier');
    expect(headOf(module)).toEqual({ module: 'aux', outputs: 2 });
    expect(headOf(module, graphOf(module, [2, 4]))).toEqual({ module: 'fc', outputs: 10 });
    const squeeze = build('Squeeze');
    const head = { module: 'classifier.1', outputs: 10 };
    expect(headOf(squeeze)).toEqual(head);
    expect(headOf(squeeze, graphOf(squeeze, [1, 3, 4, 4]))).toEqual(head);
  });

  test('is none where it is the table of an embedding', () => {
    const module = build('Mixed');
    expect(headOf(module, graphOf(module, [3, 2], false, 'int64'))).toBeNull();
  });

  test('is made anew with so many outputs, and forward follows', () => {
    const { module, fresh, moved } = edited(build('Classifier'), {
      head: { module: 'fc', outputs: 3 },
    });
    expect(module.state.find(({ key }) => key === 'fc.weight')).toMatchObject({ shape: [3, 8] });
    const graph = graphOf(module, [2, 4]);
    expect(graph.nodes[graph.outputs[0]!]!.shape).toEqual([2, 3]);
    expect([...fresh]).toEqual(['fc.weight', 'fc.bias']);
    expect(moved.size).toBe(0);
    const squeeze = edited(build('Squeeze'), { head: { module: 'classifier.1', outputs: 4 } });
    const pooled = graphOf(squeeze.module, [1, 3, 4, 4]);
    expect(pooled.nodes[pooled.outputs[0]!]!.shape).toEqual([1, 4]);
  });

  test.each([
    ['nothing', 3, 'head: the model has no module "nothing"'],
    ['features.1', 3, 'head: the BatchNorm1d "features.1" is neither a Linear nor a Conv2d'],
    ['fc', 0, 'head: outputs must be a whole number above 0, not 0'],
  ])('is refused: %s, %i', (path, outputs, message) => {
    expect(() => edited(build('Classifier'), { head: { module: path, outputs } })).toThrow(message);
  });
});

describe('freezing', () => {
  test('goes by globs; the last that fits decides', () => {
    const { module } = edited(build('Classifier'), { freeze: ['*', '!fc.*', 'fc.bias'] });
    expect(trained(module)).toEqual(['fc.weight']);
    const tied = edited(build('Mixed'), { freeze: allBut('head') });
    expect(trained(tied.module)).toEqual(['embed.weight', 'head.weight']);
  });

  test('says which glob fits nothing', () => {
    const { notes } = edited(build('Classifier'), { freeze: ['fc.*', 'layer1.*', 'f?.bias'] });
    expect(notes.map(({ message }) => message)).toEqual(['freeze: "layer1.*" fits no parameter']);
  });
});

describe('LoRA', () => {
  test('puts an update beside linear layers and trains it alone', () => {
    const { module, moved, lora: layers } = edited(build('Mixed'), lora(['q_proj', 'c_proj']));
    expect(keys(module)).toEqual([
      ...['embed.weight', 'attn.in_proj_weight', 'attn.in_proj_bias'],
      ...['attn.out_proj.weight', 'attn.out_proj.bias'],
      ...['q_proj.base_layer.weight', 'q_proj.base_layer.bias'],
      ...['q_proj.lora_A.default.weight', 'q_proj.lora_B.default.weight'],
      ...['c_proj.base_layer.weight', 'c_proj.base_layer.bias'],
      ...['c_proj.lora_A.default.weight', 'c_proj.lora_B.default.weight'],
      ...['used.weight', 'head.weight'],
    ]);
    expect(trained(module)).toEqual(keys(module).filter((key) => key.includes('lora')));
    expect(moved.get('q_proj.base_layer.bias')).toBe('q_proj.bias');
    expect(layers).toEqual([
      { path: 'q_proj', turned: false },
      { path: 'c_proj', turned: true },
    ]);
    const shapes = new Map(module.state.map(({ key, shape }) => [key, shape]));
    expect(shapes.get('c_proj.lora_A.default.weight')).toEqual([2, 4]);
    expect(shapes.get('c_proj.lora_B.default.weight')).toEqual([6, 2]);
    graphOf(module, [3, 2], true, 'int64');
  });

  test('takes globs, which pass by what is no linear layer', () => {
    const { lora: layers } = edited(build('Classifier'), {
      ...lora(['*']),
      head: { module: 'fc', outputs: 3 },
    });
    expect(layers.map(({ path }) => path)).toEqual(['features.0', 'aux']);
  });

  test('trains the new head too', () => {
    const { module } = edited(build('Classifier'), {
      ...lora(['features.*']),
      head: { module: 'fc', outputs: 3 },
    });
    expect(trained(module).filter((key) => !key.includes('lora'))).toEqual([
      'fc.weight',
      'fc.bias',
    ]);
  });

  test.each([
    [lora(['k_proj']), 'lora: no module fits the target "k_proj"'],
    [lora(['embed']), 'lora: the Embedding "embed" is no linear layer'],
    [lora(['emb*']), 'lora: no linear layer fits the targets "emb*"'],
    [lora(['attn']), 'lora: "attn" belongs to a MultiheadAttention'],
    [lora(['out_proj']), 'lora: "attn.out_proj" belongs to a MultiheadAttention'],
    [lora(['q_proj'], { rank: 1.5 }), 'lora: rank must be a whole number above 0, not 1.5'],
    [lora(['q_proj'], { dropout: 1 }), 'lora: dropout must be from 0 to below 1, not 1'],
  ])('is refused: %j', (edits, message) => {
    expect(() => edited(build('Mixed'), edits)).toThrow(message);
  });

  test('is refused in a trace that only uses the weight', () => {
    const { module } = edited(build('Mixed'), lora(['used']));
    expect(() => graphOf(module, [3, 2], true, 'int64')).toThrow(
      'lora: forward does not call "used" but uses its weight: LoRA would have no effect there',
    );
  });
});

describe('the load report of a changed model', () => {
  const tensor = (shape: readonly number[]) =>
    tensorFromBytes(new Uint8Array(4 * shape.reduce((a, b) => a * b, 1)), 'float32', shape);
  const fileOf = ({ state }: ModuleTree) =>
    dict(new Map(state.map(({ key, shape }) => [key, tensor(shape)])));

  test('finds moved keys under the names that they had, and asks for no new ones', () => {
    const base = build('Classifier');
    const change = edited(base, { ...lora(['features.0']), head: { module: 'fc', outputs: 10 } });
    const binding = bind(change.module.state, fileOf(base), { edited: change });
    expect(binding).toMatchObject({ missing: [], unexpected: [], mismatched: [] });
    expect(binding.matched.get('features.0.base_layer.weight')?.fileKey).toBe('features.0.weight');
    expect(startsFresh(change.module.state, binding)).toEqual([
      {
        key: 'features.0.lora_A.default.weight',
        why: 'new',
        init: 'uniform from −0.5 to 0.5',
      },
      { key: 'features.0.lora_B.default.weight', why: 'new', init: '0' },
      { key: 'fc.weight', why: 'new', init: 'uniform from −0.3536 to 0.3536' },
      { key: 'fc.bias', why: 'new', init: 'uniform from −0.3536 to 0.3536' },
    ]);
    // A file of the changed model itself needs nothing of that.
    const own = bind(change.module.state, fileOf(change.module));
    expect(own.matched.size).toBe(change.module.state.length);
  });

  test('renames first, and says what starts fresh', () => {
    const base = build('Classifier');
    const file = dict(
      new Map([
        ['net/features.0.weight', tensor([8, 4])],
        ['net/head.weight', tensor([5, 8])],
        ['net/rest', tensor([1])],
      ]),
    );
    const binding = bind(base.state, file, {
      rename: [
        { kind: 'strip', prefix: 'net/' },
        { kind: 'replace', pattern: '^head', with: 'fc' },
        { kind: 'strip', prefix: 'module.' },
      ],
    });
    expect([...binding.matched.keys()]).toEqual([
      'features.0.weight',
      'features.1.num_batches_tracked',
    ]);
    expect(binding.mismatched).toMatchObject([{ key: 'fc.weight', fileKey: 'net/head.weight' }]);
    expect(binding.unexpected).toEqual(['net/rest']);
    expect(binding.notes.map(({ message }) => message)).toEqual([
      'rename: "module." taken off changes no key',
    ]);
    const fresh = startsFresh(base.state, binding);
    expect(fresh.find(({ key }) => key === 'fc.weight')?.why).toBe('mismatched');
    expect(fresh.find(({ key }) => key === 'features.1.weight')).toEqual({
      key: 'features.1.weight',
      why: 'missing',
      init: '1',
    });
  });
});
