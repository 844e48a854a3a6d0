/** Rows of `x[…]` and `x[…] = y`. */
import { row } from './rows.ts';

const index = (shape: number[], values: number[]) => ({ shape, dtype: 'int64' as const, values });
const mask = (shape: number[], values: number[]) => ({ shape, dtype: 'bool' as const, values });

export const indexingRows = [
  row('x[0], x[-1], x[1, 2], x[:, 1], x[..., 0], x[0, ..., 1]', { x: [2, 3, 4] }),
  row('x[:, None], x[None], x[..., None], x[:, :, None, 1]', { x: [2, 3, 4] }),
  row('x[1:], x[:, :-1], x[:, 1:3, 2:], x[-2:, -3:-1]', { x: [3, 4, 5] }),
  row('x[::2], x[:, 1::2], x[1::3, ::2, ::-1 + 3], x[:, 4::7]', { x: [4, 5, 6] }),
  row('x[:, 0::2, 1::2, :], x[:, 1::2, 0::2, :]', { x: [2, 4, 6, 3] }),
  row('x[:], x[...], x[()]', { x: [2, 3] }),
  row('x[:, 1:, :, 1:, ::2]', { x: [2, 3, 2, 3, 4] }),
  row('x[:, 1:, :, 1:, ::2, 1:], x[:, :, 1, :, 1:]', { x: [2, 3, 2, 3, 4, 2] }),
  row('x[i]', { x: [4, 3], i: index([3], [0, 3, 3]) }),
  row('x[i], x[:, j], x[i, j], x[:, :, j]', {
    x: [4, 3, 4],
    i: index([2, 2], [0, 3, -1, 1]),
    j: index([2], [2, 0]),
  }),
  row('x[i, :, j], x[:, i, j], x[0, :, j], x[i, 1], x[None, i]', {
    x: [4, 3, 5],
    i: index([2], [2, 0]),
    j: index([2], [1, 2]),
  }),
  row('x[:, i, :, j], x[:, i, j, :, 0], x[..., i]', {
    x: [2, 3, 4, 3, 2],
    i: index([2, 1], [1, 0]),
    j: index([3], [1, 2, 0]),
  }),
  row('x[[0, 2]], x[:, [1, 0]], x[[[0], [1]], [0, 2]], x[[-1]]', { x: [3, 4] }),
  row('x[[True, False, True]], x[1:, [True, False, False, True]]', { x: [3, 4] }),
  row('x[i]', { x: [4, 3], i: index([], [2]) }),
  row('x = x.clone()\nx[0] = y\nx[:, 1:3] = 2\nreturn x', { x: [2, 4], y: [4] }),
  row('x = x.clone()\nx[:, ::2, 1] = y\nx[1, ..., -1] = 0.5\nreturn x', {
    x: [2, 5, 3],
    y: [2, 3],
  }),
  row('x = x.clone()\nx[:, :, 1, 1:, ::2] = y\nreturn x', { x: [2, 2, 3, 3, 4], y: [2, 2] }),
  row('x = x.clone()\nx[:, :, 1:, 1, 1:, ::2] = y\nreturn x', {
    x: [2, 2, 3, 2, 3, 4],
    y: [2, 1, 2, 2],
  }),
  row('x = x.clone()\nx[1:3][0] = y\nreturn x', { x: [4, 2], y: [1, 2] }),
  row('x = x.clone()\nx[i] = y\nreturn x', { x: [4, 3], y: [2, 3], i: index([2], [3, 0]) }),
  row('x = x.clone()\nx[i] = 1.5\nreturn x', { x: [4, 3], i: index([3], [1, -1, 1]) }),
  row('x = x.clone()\nx[:, i] = y\nx[0, :, j] = 2\nreturn x', {
    x: [2, 3, 4],
    y: [2, 2, 4],
    i: index([2], [2, 0]),
    j: index([1], [3]),
  }),
  row('x = x.clone()\nx[i, :, j] = y\nreturn x', {
    x: [3, 2, 4],
    y: [2, 2],
    i: index([2], [2, 0]),
    j: index([2], [1, 3]),
  }),
  row('x = x.clone()\nx[i, j] += y\nreturn x', {
    x: [3, 4],
    y: [2],
    i: index([2], [2, 0]),
    j: index([2], [1, 3]),
  }),
  row('x = x.clone()\nx[:, [0, 2]] = x[:, [2, 0]]\nreturn x', { x: [2, 3] }),
  row('x[0] + 1, i[1:], i[..., 0], m[:, 1]', {
    x: [2, 3],
    i: index([2, 2], [1, 2, 3, 4]),
    m: mask([2, 2], [1, 0, 1, 1]),
  }),
  // What the source alone decides is folded.
  row('x + torch.ones(4, 4)[1:3, ::3]', { x: [2, 2] }),
  row('m = torch.zeros(3, 4)\nm[1:, 2:] = 1\nm[0] += 2\nm[:, 0] = torch.ones(3)\nreturn x + m', {
    x: [3, 4],
  }),
  row(
    `m = torch.zeros(4, 4)
count = 0
for h in ((0, -2), (-2, -1), (-1, None)):
    for w in ((0, -2), (-2, -1), (-1, None)):
        m[h[0]:h[1], w[0]:w[1]] = count
        count += 1
m = m.view(2, 2, 2, 2).permute(0, 2, 1, 3).reshape(4, 4)
return x + m.unsqueeze(1).expand(4, 4, 4)`,
    { x: [4, 4] },
  ),
  row('x[torch.arange(4) % 2 == 0], x[:, torch.tensor([True, False, True])]', { x: [4, 3] }),
  row(
    'x + self.table[self.places].view(6, 6, -1).permute(2, 0, 1).contiguous()',
    { x: [2, 6, 6] },
    {
      init: `grid = torch.meshgrid(torch.arange(2), torch.arange(3), indexing="ij")
flat = torch.flatten(torch.stack(grid), 1)
apart = (flat[:, :, None] - flat[:, None, :]).permute(1, 2, 0).contiguous()
apart[:, :, 0] += 1
apart[:, :, 1] += 2
apart[:, :, 0] *= 5
self.places = (apart[..., 0] + apart[..., 1]).flatten()
self.table = nn.Parameter(torch.zeros(15, 2))`,
    },
  ),

  // Masks whose values are not known until the graph runs.
  row('x = x.clone()\nx[m] = 1.5\nreturn x', { x: [2, 3], m: mask([2, 3], [1, 0, 0, 1, 1, 0]) }),
  row('y = x.clone()\ny[x > 0] = -1.5\ny[y < -1] = y[0, 0, 0, 0, 0] + 1\nreturn y', {
    x: [2, 2, 3, 2, 2],
  }),
  row('x = x.clone()\nx[m] = y\nx[:, n] = 2\nx[0][n, 1:] = z\nreturn x', {
    x: [2, 3, 4],
    y: [4],
    z: [1, 3],
    m: mask([2, 3], [1, 0, 0, 1, 1, 0]),
    n: mask([3], [0, 0, 1]),
  }),
];
