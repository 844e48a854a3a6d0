import { beforeAll, describe, expect, it } from 'vitest';
import { build } from '../../../tests/fixtures/built.ts';
import { startBackend } from './backend.ts';
import { keepsExamplesApart } from './batch_axis.ts';
import type { Numbers } from './model.ts';

beforeAll(async () => {
  await startBackend(['cpu']);
});

interface Case {
  /** Of `__init__`, and forward's body or expression. */
  readonly init?: string;
  readonly forward: string;
  /** Of one example. */
  readonly shape: readonly number[];
  readonly dtype?: 'float32' | 'int64';
  readonly training?: boolean;
}

/** Whether a model keeps the examples of batches of 6 apart, by its graph for 6 and for `other`. */
function isApart({ shape, dtype = 'float32', training = true, ...net }: Case, other: number) {
  const { graphFor } = build(net, { shape, dtype });
  return keepsExamplesApart(graphFor(6, training), graphFor(other, training), 0);
}

/** The outputs of a batch of 4, alone and with two more examples behind it. */
async function outputsOf({ shape, dtype = 'float32', training = true, ...net }: Case) {
  const { graphFor, load } = build(net, { shape, dtype });
  const model = await load();
  const width = shape.reduce((all, size) => all * size, 1);
  const value = (at: number) => (dtype === 'int64' ? (at * 7) % 11 : Math.sin(at * at + 1));
  const run = async (count: number): Promise<Numbers> => {
    const all = Array.from({ length: count * width }, (_, at) => value(at));
    const values = dtype === 'int64' ? Int32Array.from(all) : Float32Array.from(all);
    const inputs = [{ values, shape: [count, ...shape] }];
    const [output] = await model.predict(graphFor(count, training), inputs);
    return output!;
  };
  const [alone, filled] = [await run(4), await run(6)];
  model.dispose();
  return { alone, filled };
}

const attention = `self.qkv = nn.Linear(8, 24)
self.proj = nn.Linear(8, 8)
self.norm = nn.LayerNorm(8)
self.mlp = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Dropout(0.1), nn.Linear(16, 8))`;

const gpt = `self.wte = nn.Embedding(11, 8)
self.wpe = nn.Embedding(5, 8)
${attention}
self.head = nn.Linear(8, 11, bias=False)`;

const gptForward = `B, T = x.shape
h = self.wte(x) + self.wpe(torch.arange(T))
q, k, v = self.qkv(self.norm(h)).split(8, dim=2)
heads = [t.view(B, T, 2, 4).transpose(1, 2) for t in (q, k, v)]
y = F.scaled_dot_product_attention(*heads, is_causal=True)
h = h + self.proj(y.transpose(1, 2).contiguous().view(B, T, 8))
h = h + self.mlp(self.norm(h))
logits = self.head(h)
return LOGITS`;

const apart: Record<string, Case> = {
  'a linear layer, LayerNorm and dropout': {
    init: 'self.m = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.ReLU(), nn.Dropout(0.5))',
    forward: 'self.m(x)',
    shape: [3],
  },
  'convolutions, pools, flatten': {
    init: `self.conv = nn.Conv2d(1, 4, 3)
self.fc = nn.Linear(36, 2)`,
    forward: 'self.fc(torch.flatten(F.max_pool2d(F.relu(self.conv(x)), 2), 1))',
    shape: [1, 8, 8],
  },
  'view by x.size(0)': { forward: 'x.view(x.size(0), -1).sum(1)', shape: [2, 3] },
  'BatchNorm in evaluation': {
    init: 'self.bn = nn.BatchNorm1d(3)',
    forward: 'self.bn(x)',
    shape: [3],
    training: false,
  },
  'GroupNorm and InstanceNorm without running statistics': {
    init: 'self.m = nn.Sequential(nn.GroupNorm(2, 4), nn.InstanceNorm2d(4))',
    forward: 'self.m(x)',
    shape: [4, 3, 3],
  },
  'a GPT': {
    init: gpt,
    forward: gptForward.replace('LOGITS', 'logits'),
    shape: [5],
    dtype: 'int64',
  },
  'a GPT that gives (N · T, V)': {
    init: gpt,
    forward: gptForward.replace('LOGITS', 'logits.view(-1, 11)'),
    shape: [5],
    dtype: 'int64',
  },
  'a transformer with a class token': {
    init: `self.cls = nn.Parameter(torch.zeros(1, 1, 8))
self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)`,
    forward: 'self.layer(torch.cat([self.cls.expand(x.shape[0], -1, -1), x], dim=1))[:, 0]',
    shape: [4, 8],
  },
  'an LSTM with batch_first and a state of zeros': {
    init: 'self.m = nn.LSTM(3, 4, 2, batch_first=True)',
    forward: `h = torch.zeros(2, x.size(0), 4)
return self.m(x, (h, h.clone()))[0][:, -1]`,
    shape: [5, 3],
  },
  'a GRU over turned axes': {
    init: 'self.m = nn.GRU(3, 4)',
    forward: 'self.m(x.transpose(0, 1))[0].transpose(0, 1)',
    shape: [5, 3],
  },
  'the last hidden state': {
    init: 'self.m = nn.LSTM(3, 4, batch_first=True)',
    forward: 'self.m(x)[1][0][-1]',
    shape: [5, 3],
  },
  'attention heads in the batch axis': {
    forward: `B, T, C = x.shape
h = x.view(B, T, 2, C // 2).transpose(1, 2).reshape(B * 2, T, C // 2)
h = torch.bmm(torch.softmax(torch.bmm(h, h.transpose(1, 2)), -1), h)
return h.view(B, 2, T, C // 2).transpose(1, 2).reshape(B, T, C)`,
    shape: [3, 4],
  },
  'einsum over features': { forward: 'torch.einsum("bij,bkj->bik", x, x)', shape: [3, 4] },
  'cumsum along the tokens': { forward: 'x.cumsum(1)', shape: [3] },
  'a branch that mixes, which nobody uses': {
    forward: `unused = x.mean(0)
return x * 2`,
    shape: [3],
  },
};

const mixing: Record<string, Case> = {
  'BatchNorm in training': {
    init: 'self.bn = nn.BatchNorm1d(3)',
    forward: 'self.bn(x)',
    shape: [3],
  },
  'InstanceNorm with running statistics': {
    init: 'self.m = nn.InstanceNorm1d(2, track_running_stats=True)',
    forward: 'self.m(x)',
    shape: [2, 3],
  },
  'less the mean of the batch': { forward: 'x - x.mean(0)', shape: [3] },
  'a sum divided by the batch size': { forward: 'x * (1 / x.shape[0])', shape: [3] },
  'all against all': { forward: 'torch.matmul(x, x.T)', shape: [3] },
  'each against each by broadcasting': { forward: '(x[:, None] - x[None]).sum(1)', shape: [3] },
  'softmax over the batch': { forward: 'torch.softmax(x, dim=0)', shape: [3] },
  'cumsum over the batch': { forward: 'x.cumsum(0)', shape: [3] },
  'sorted examples': { forward: 'x.sort(0)[0]', shape: [3] },
  'rolled examples': { forward: 'x + torch.roll(x, 1, 0)', shape: [3] },
  'examples in reverse': { forward: 'x + x.flip(0)', shape: [3] },
  'each less the first': { forward: 'x - x[:1]', shape: [3] },
  'the numbers of the examples': {
    forward: 'x + torch.arange(x.shape[0])[:, None]',
    shape: [3],
  },
  'a product with a triangle of the batch': {
    forward: 'torch.tril(torch.ones(x.shape[0], x.shape[0])) @ x',
    shape: [3],
  },
  'an LSTM without batch_first': {
    init: 'self.m = nn.LSTM(3, 4)',
    forward: 'self.m(x)[0]',
    shape: [5, 3],
  },
  'attention over the batch axis': {
    init: 'self.m = nn.MultiheadAttention(8, 2)',
    forward: 'self.m(x, x, x)[0]',
    shape: [4, 8],
  },
  'scaled_dot_product_attention of (N, E)': {
    forward: 'F.scaled_dot_product_attention(x, x, x)',
    shape: [4],
  },
  'einsum over the batch': { forward: 'torch.einsum("bi,bj->ij", x, x) + x.sum()', shape: [3] },
  'outputs with the batch on the second axis': { forward: 'x.transpose(0, 1)', shape: [3] },
  'the batch folded into another axis': { forward: 'x.view(2, -1, 3)', shape: [3] },
};

describe('examples stay apart in', () => {
  it.each(Object.entries(apart))('%s', async (_, it) => {
    expect([isApart(it, 4), isApart(it, 2)]).toEqual([true, true]);
    const { alone, filled } = await outputsOf(it);
    expect(filled.values.length / alone.values.length).toBe(6 / 4);
    alone.values.forEach((value, at) => expect(filled.values[at]).toBeCloseTo(value, 5));
  });
});

describe('examples are mixed by', () => {
  it.each(Object.entries(mixing))('%s', (_, it) => {
    expect(isApart(it, 4)).toBe(false);
  });
});
