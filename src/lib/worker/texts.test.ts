/** Runs beyond one picture: text, tables, tensors and checks, in Node on the cpu backend. */
import { describe, expect, it } from 'vitest';
import type { ModuleTree } from '#lib/architecture/source.ts';
import { readSource } from '#lib/architecture/source.ts';
import { findTask } from './task.ts';
import { openTokenizer } from './texts.ts';

function build(body: string, inputs = 'x'): ModuleTree {
  const text = [
    'import torch',
    'from torch import nn',
    'class Net(nn.Module):',
    '    def __init__(self):',
    '        super().__init__()',
    ...body.split('\n').map((line) => `        ${line}`),
    `    def forward(self, ${inputs}):`,
    '        return self.run(x)',
    '    def run(self, x):',
    '        return self.last(self.first(x))',
  ].join('\n');
  const read = readSource([{ name: 'm.py', text }]);
  if (!read.ok) throw new Error(read.findings[0]!.message);
  const built = read.source.build('Net');
  if (!built.ok) throw new Error(built.findings[0]!.message);
  return built.module;
}

describe('a model’s task', () => {
  it.each([
    ['write', 'self.first = nn.Embedding(9, 4)\nself.last = nn.Linear(4, 9)', [1, 8]],
    ['compare', 'self.first = nn.Embedding(9, 4)\nself.last = nn.Linear(4, 5)', [1, 8]],
    ['vector', 'self.first = nn.Linear(6, 4)\nself.last = nn.Linear(4, 2)', [1, 6]],
    ['image', 'self.first = nn.Conv2d(3, 4, 3)\nself.last = nn.ReLU()', [1, 3, 224, 224]],
    ['image', 'self.first = nn.Conv2d(1, 4, 3)\nself.last = nn.ReLU()', [1, 1, 28, 28]],
    ['tensors', 'self.first = nn.Conv2d(2, 4, 3)\nself.last = nn.ReLU()', [1, 2, 28, 28]],
  ])('%s', (kind, body, shape) => {
    const { task } = findTask(build(body));
    expect(task.kind).toBe(kind);
    expect(task.inputs).toMatchObject([{ name: 'x', shape }]);
    expect(task.vocabulary).toBe(body.includes('Embedding') ? 9 : null);
    expect(task.recipes.length > 0).toBe(kind === 'image');
  });

  it.each([
    ['write', ', is_causal=True'],
    ['write', ', torch.ones(x.shape[1], x.shape[1]).tril().bool()'],
    ['tensors', ''],
    ['tensors', ', torch.ones(1, x.shape[1]).bool()'],
  ])('is to %s where attention is given q, k, v%s', (kind, rest) => {
    const attend = `nn.functional.scaled_dot_product_attention(x, x, x${rest})`;
    const body = `self.first = nn.Embedding(9, 4)\nself.out = nn.Linear(4, 9)\nself.last = lambda x: self.out(${attend})`;
    expect(findTask(build(body)).task.kind).toBe(kind);
  });

  it('is found with the inputs that a file says its program takes', () => {
    const body = 'self.first = nn.Conv2d(3, 4, 3)\nself.last = nn.ReLU()';
    const known = (batch: number) => [{ shape: [batch, 3, 48, 48], dtype: 'float32' as const }];
    const { task } = findTask(build(body), known(1));
    expect(task).toMatchObject({ kind: 'image', inputs: [{ name: 'x', shape: [1, 3, 48, 48] }] });
    // Exported for two pictures at once, it takes no single one.
    expect(findTask(build(body), known(2)).task).toMatchObject({ kind: 'tensors' });
  });

  it('is unknown where forward takes something else, and says what is not supported', () => {
    const body = 'self.first = nn.Linear(6, 4)\nself.last = torch.fft.rfft';
    const { task, findings } = findTask(build(body));
    expect(task).toMatchObject({ kind: 'vector', outputs: [] });
    expect(findings).toMatchObject([{ severity: 'warning', code: 'python-unsupported' }]);
  });
});

describe('tokenizer files', () => {
  const file = (name: string, text: string) => new File([text], name);
  const open = (...files: File[]) => openTokenizer(files, new AbortController().signal);

  it('are told by names and contents', async () => {
    const vocab = file('vocab.json', '{"a": 0, "b": 1, "ab": 2}');
    const gpt2 = await open(file('merges.txt', '#version: 0.2\na b\n'), vocab);
    expect(gpt2.encode('abb')).toEqual([2, 1]);
    expect((await open(file('vocab.txt', '[UNK]\n[CLS]\n[SEP]\nab\n'))).encode('ab')).toEqual([
      1, 3, 2,
    ]);
    expect((await open(file('chars.txt', 'abc\n'))).encode('cab')).toEqual([2, 0, 1]);
  });

  it('that are none, or half of one, are refused', async () => {
    await expect(open(file('merges.txt', ''))).rejects.toThrow(
      'merges.txt comes without vocab.json',
    );
    await expect(open(file('a.csv', ''))).rejects.toThrow('tokenizer: a.csv is none');
  });
});
