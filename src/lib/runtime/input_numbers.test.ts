import { beforeAll, describe, expect, it } from 'vitest';
import { readSource } from '#lib/architecture/source.ts';
import { startBackend } from './backend.ts';
import { checkExact } from './input_numbers.ts';
import { Model } from './model.ts';

beforeAll(async () => {
  await startBackend(['cpu']);
});

/** Runs `code` on a float x (2, 3) and the indices i (2, 2). */
async function run(code: string, ...indices: number[]) {
  const text = `import torch
from torch import nn
import torch.nn.functional as F
class Net(nn.Module):
    def forward(self, x, i):
        return ${code}
`;
  const read = readSource([{ name: 'net.py', text }]);
  if (!read.ok) throw new Error(read.findings[0]!.message);
  const built = read.source.build('Net');
  if (!built.ok) throw new Error(built.findings[0]!.message);
  const traced = built.module.trace(
    [
      { shape: [2, 3], dtype: 'float32' },
      { shape: [2, 2], dtype: 'int64' },
    ],
    { training: false },
  );
  if (!traced.ok) throw new Error(traced.findings[0]!.message);
  const model = await Model.load(built.module.state, new Map());
  const inputs = [
    { values: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3] },
    { values: Int32Array.from(indices), shape: [2, 2] },
  ];
  const [output] = await model.predict(traced.graph, inputs);
  return [...output!.values];
}

describe('indices outside of what they pick from', () => {
  it.each([
    ['F.embedding(i, x)', 2, /^net.py line 6: embedding: the index 2 is not between 0 and 1$/],
    ['F.embedding(i.T.reshape(4), x)', -1, /embedding: the index -1 is not between 0 and 1/],
    ['F.one_hot(i, 4)', 4, /one_hot: the index 4 is not between 0 and 3/],
    ['x.gather(1, i)', 3, /gather: the index 3 is not between 0 and 2/],
    ['x.index_select(0, i.flatten())', 2, /index_select: the index 2 is not between 0 and 1/],
    ['x.scatter(1, i, 0.5)', -1, /scatter: the index -1 is not between 0 and 2/],
    ['x[:, i]', -4, /index: the index -4 is not between -3 and 2/],
    ['F.cross_entropy(x[:, :2, None].expand(2, 2, 2), i)', 2, /cross_entropy: the index 2 is not/],
  ])('%s', async (code, wrong, message) => {
    await expect(run(code, 0, 1, wrong, 0)).rejects.toThrow(message);
  });

  it('are taken where PyTorch takes them', async () => {
    expect(await run('x[0][i]', 0, -3, 2, -1)).toEqual([1, 1, 3, 3]);
    const [loss] = await run('F.cross_entropy(x[:, :2, None].expand(2, 2, 2), i)', 0, -100, 1, 0);
    expect(loss).toBeGreaterThan(0);
  });

  it('that are cut off before do not count', async () => {
    expect(await run('x[0][i[0]]', 0, 1, 99, 99)).toEqual([1, 2]);
  });
});

describe('integers beyond 2**24', () => {
  it('are refused where float32 would round them', () => {
    expect(() => checkExact('input 1', [2 ** 24 + 1])).toThrow('input 1 holds 16777217');
    expect(() => checkExact('input 1', [-(2 ** 31), 2 ** 24, 50_000])).not.toThrow();
  });
});
