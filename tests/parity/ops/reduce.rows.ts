/** Rows of reductions, orders and running sums. */
import { row } from './rows.ts';

const integers = { shape: [3, 4], dtype: 'int64', low: -6, high: 9 } as const;
const bools = { shape: [3, 4], dtype: 'bool' } as const;
const ties = { shape: [2, 4], values: [1, 3, 3, 0, 2, 2, 2, -1] } as const;
const zeros = { shape: [3, 4], values: [1, 0, 2, 3, 0, 2, 0, 1, 4, 5, -6, 7] } as const;

export const reduceRows = [
  row('x.sum(), torch.sum(x, 1), x.sum(dim=(0, -1), keepdim=True), x.sum(-1, True)', {
    x: [2, 3, 4],
  }),
  row('x.sum(), x.sum(0), x.prod(1), x.cumsum(1), x.amax(0), x.max(), x.min(1)[0]', {
    x: integers,
  }),
  row('x.sum(1), x.any(), x.all(1), x.any(0, keepdim=True), torch.all(x)', { x: bools }),
  row('x.mean(), x.mean([2, 3]), torch.mean(x, dim=1, keepdim=True)', { x: [2, 3, 4, 5] }),
  row('self.m(x).mean((2, 3))', { x: [1, 2, 5, 5] }, { init: 'self.m = nn.Conv2d(2, 3, 3)' }),
  row('x.float().mean(axis=1), x.sum(axis=0)', { x: integers }),
  row('x.prod(), x.prod(1), torch.prod(x, 0, keepdim=True)', { x: [3, 5] }),
  row('x.prod(1)', { x: zeros }),
  row('x.amax(1) + x.amin(dim=1), x.amax((0, 1)), x.max(), x.min()', { x: ties }),
  row('torch.max(x, 1)', { x: [2, 3, 4] }),
  row('x.max(dim=-1, keepdim=True)[0] + x.min(0).values', { x: [3, 4] }),
  row('x.max(1).values, x.max(1).indices', { x: ties }),
  row('x.argmax(), x.argmax(1), torch.argmin(x, dim=-1, keepdim=True), x.argmax(0)', { x: [3, 4] }),
  row('x.argmax(1)', { x: ties }),
  row('torch.max(x, y) + torch.min(x, y)', { x: [3], y: [3] }),
  row('x.var(), x.var(1), torch.var(x, 1, unbiased=False, keepdim=True), x.var(0, correction=0)', {
    x: [3, 4],
  }),
  row('x.std(), x.std((0, 2)), torch.std(x, -1, keepdim=True)', { x: [3, 4, 2] }),
  row('torch.var_mean(x, 1)', { x: [3, 4] }),
  row('torch.std_mean(x, dim=0, unbiased=False)', { x: [3, 4] }),
  row('x.norm(), x.norm(dim=1), torch.norm(x, p=1, dim=1, keepdim=True)', { x: [3, 4] }),
  row('x.norm(3, 1) + x.norm(float("inf"), 1) + x.norm(p=float("-inf"), dim=1)', { x: [3, 4] }),
  row('x.norm(p=0, dim=1), x.norm(dim=0)', { x: zeros }),
  row('torch.logsumexp(x, 1), x.logsumexp((0, 1), keepdim=True)', { x: [3, 4] }),
  row('torch.logsumexp(x * 100, 0)', { x: [3, 4] }),
  row('torch.topk(x, 2)', { x: [3, 5] }),
  row('x.topk(3, dim=0, largest=False)[0], x.topk(1).indices', { x: [4, 3] }),
  row('torch.sort(x)', { x: [3, 5] }),
  row('x.topk(1, 1)[0], x.topk(1, 1)[1], x.sort(1)[0]', { x: [3, 1] }),
  row('x.sort(-2), x.topk(1, 1), (x > 0).any(1), (x > 0).all(0)', { x: [2, 3, 2] }),
  row('x.amin(-3), x.amax(1), x.min(0)[0], x.max(-2).values', { x: [4, 3, 2] }),
  row('x.sort(0, descending=True), torch.argsort(x, dim=1)', { x: [4, 3] }),
  row('x.cumsum(0) + torch.cumsum(x, dim=-1)', { x: [3, 5] }),
  row('x.cumsum(1)', { x: [2, 9, 3] }),
  row('x.cumprod(1)', { x: zeros }),
  row('torch.cumprod(x, dim=0)', { x: [6, 2] }),
  row('F.normalize(x), F.normalize(x, dim=-1), F.normalize(x, p=1, dim=0)', { x: [3, 4] }),
  row('F.normalize(x, p=2, dim=1)', { x: [2, 3, 4, 2] }),
  row('F.softmax(x, dim=1)', { x: [2, 3, 4] }),
  row('F.log_softmax(x, dim=-1)', { x: [2, 3] }),
  row('F.softmax(x, dim=-1)', { x: [70_000, 2] }),
  row('x.softmax(-1), x.log_softmax(0), torch.softmax(x, dim=0)', { x: [2, 3] }),
  row('F.softmin(x, 1) + self.m(x)', { x: [2, 3] }, { init: 'self.m = nn.Softmin(dim=0)' }),
  row(
    'self.m(x)',
    { x: [2, 3, 2, 2] },
    {
      init: 'self.m = nn.Sequential(nn.Softmax2d(), nn.LogSoftmax(1), nn.Softmax(-1))',
    },
  ),
  row('x.sum() + x.max() + x.mean() + x.norm() + x.cumsum(0) + x.softmax(0)', { x: [] }),
  row(
    'x + torch.arange(12.0).reshape(3, 4).cumsum(1).mean(0) + torch.ones(2, 3).sum().item() + torch.arange(5).prod() + torch.linspace(-1, 1, 4).std() + torch.eye(4).amax(1) + torch.eye(4).argmax(1)',
    { x: [4] },
  ),
];
