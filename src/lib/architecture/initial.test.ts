import { describe, expect, test } from 'vitest';
import { toFloat32 } from '#lib/checkpoint/elements.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { describeInit } from './initial.ts';
import { readSource, type ModuleTree } from './source.ts';

function build(body: string, before = ''): ModuleTree {
  const text = `import torch
from torch import nn
${before}
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        ${body.trim().split('\n').join('\n        ')}
`;
  const read = readSource([{ name: 'model.py', text }]);
  const built = read.ok ? read.source.build('Model') : read;
  if (!built.ok) throw new Error(built.findings[0]!.message);
  return built.module;
}

async function values(module: ModuleTree, key: string, seed = 1n): Promise<number[]> {
  const made = module.initialise([key], seed);
  if (!made.ok) throw new Error(`${made.findings[0]!.where}: ${made.findings[0]!.message}`);
  const tensor = made.tensors.get(key)!;
  return [...toFloat32(await readTensor(tensor), tensor.dtype)];
}

describe('first values', () => {
  test('say how they come about', () => {
    const module = build(`
self.linear = nn.Linear(4, 2)
self.norm = nn.BatchNorm1d(2)
self.table = nn.Embedding(3, 2)
self.own = nn.Parameter(torch.zeros(2) + torch.ones(2))
self.cut = nn.Parameter(nn.init.trunc_normal_(torch.empty(3), std=0.02, a=-0.04, b=0.04))
self.square = nn.Parameter(nn.init.orthogonal_(torch.empty(2, 2)))
self.lost = nn.Parameter(torch.empty(2))
`);
    expect(module.state.map(({ key, init }) => `${key}: ${describeInit(init!)}`)).toEqual([
      'own: worked out by the source',
      'cut: normal, mean 0, std 0.02, from −0.04 to 0.04',
      'square: orthogonal',
      'lost: not known: the numbers of torch.empty are used before they are set (model.py line 13)',
      'linear.weight: uniform from −0.5 to 0.5',
      'linear.bias: uniform from −0.5 to 0.5',
      'norm.weight: 1',
      'norm.bias: 0',
      'norm.running_mean: 0',
      'norm.running_var: 1',
      'norm.num_batches_tracked: 0',
      'table.weight: normal, mean 0, std 1',
    ]);
  });

  test('are the same for the same seed, and for any choice of keys', async () => {
    const module = build('self.a = nn.Linear(3, 3)\nself.b = nn.Linear(3, 3)');
    const alone = await values(module, 'b.weight', 5n);
    const all = module.initialise(
      module.state.map(({ key }) => key),
      5n,
    );
    const tensor = all.ok ? all.tensors.get('b.weight')! : null;
    expect([...toFloat32(await readTensor(tensor!), 'float32')]).toEqual(alone);
    expect(await values(module, 'b.weight', 6n)).not.toEqual(alone);
  });

  test('of a class begin with the seed, whatever the file draws before', async () => {
    const body = 'self.a = nn.Parameter(torch.rand(4))';
    const before = 'other = nn.Linear(3, 3)\nnoise = torch.randn(100)';
    expect(await values(build(body, before), 'a')).toEqual(await values(build(body), 'a'));
  });

  test('follow what happens to a tensor that became a parameter', async () => {
    const module = build(`
table = torch.zeros(3)
self.a = nn.Parameter(table)
table[1] = 5
self.a.data[2] += 1
self.register_buffer('b', table * 2)
`);
    expect(await values(module, 'a')).toEqual([0, 5, 1]);
    expect(await values(module, 'b')).toEqual([0, 10, 2]);
  });

  test.each([
    [
      'self.a = nn.Parameter(torch.empty(3))',
      'model.py line 7: first values of "a": the numbers of torch.empty are used before they are set',
    ],
    [
      'self.a = nn.Parameter(torch.rand(4).sort()[0])',
      'model.py line 7: first values of "a": first values that sort makes are not worked out',
    ],
    [
      'self.a = nn.Parameter(torch.empty(4, 3))\nself.a.t().uniform_()',
      'model.py line 8: first values of "a": uniform_ of a view whose elements do not lie in order is not worked out',
    ],
    [
      'self.a = nn.Parameter(torch.zeros(4).bernoulli_(0.5))',
      'model.py line 7: first values of "a": first values by bernoulli are not worked out',
    ],
    [
      'self.a = nn.Parameter(nn.init.orthogonal_(torch.empty(3000, 3000)))',
      'first values of "a": more than 2000000 steps',
    ],
  ])('refuse what nobody knows: %s', async (body, message) => {
    await expect(values(build(body), 'a')).rejects.toThrow(message);
  });

  test('refuse a key that the model has not', async () => {
    await expect(values(build('self.a = nn.Linear(1, 1)'), 'b')).rejects.toThrow(
      'the model has no parameter or buffer "b"',
    );
  });
});
