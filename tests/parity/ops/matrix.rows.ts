/** Rows of matrix products. */
import { row } from './rows.ts';

export const matrixRows = [
  row('x @ y, torch.matmul(x, y), x.mm(y)', { x: [2, 3], y: [3, 4] }),
  row('x @ v, x.mv(v), v @ v, v.dot(v), v @ x.t()', { x: [2, 3], v: [3] }),
  row('x @ y, x @ z, y.transpose(1, 2) @ v, v @ y', {
    x: [2, 4, 3],
    y: [2, 3, 5],
    z: [3, 2],
    v: [3],
  }),
  row('torch.bmm(x, y), x.matmul(y)', { x: [3, 2, 4], y: [3, 4, 2] }),
  row('x @ y', { x: [2, 1, 3, 4], y: [3, 4, 2] }),
  row('x @ y', { x: [3, 4], y: [2, 2, 4, 2] }),
  row('q @ k.transpose(-2, -1)', { q: [2, 3, 4, 5], k: [2, 3, 6, 5] }),
  row('x @ y', { x: [2, 1, 2, 1, 2, 3], y: [1, 2, 1, 2, 3, 2] }),
  row('torch.addmm(b, x, y), torch.baddbmm(c, x[None], y[None])', {
    b: [4],
    c: [1, 2, 4],
    x: [2, 3],
    y: [3, 4],
  }),
  row('torch.outer(x, y), x.outer(y)', { x: [2], y: [3] }),
  row('torch.outer(torch.arange(3), x)', { x: [2] }),
  row('torch.inner(x, y), torch.inner(x[0], y[0])', { x: [2, 3], y: [4, 3] }),
  row('torch.tensordot(x, y), torch.tensordot(x, y, dims=1), torch.tensordot(x, y, 0)', {
    x: [2, 3, 3],
    y: [3, 3, 2],
  }),
  row('torch.tensordot(x, y, dims=([2, 0], [0, 1]))', { x: [2, 3, 4], y: [4, 2, 3] }),
  row('torch.chain_matmul(x, y, z)', { x: [2, 3], y: [3, 4], z: [4, 1] }),
  row('torch.einsum("ij,jk->ik", x, y), torch.einsum("ij,jk", [x, y])', { x: [2, 3], y: [3, 4] }),
  row('torch.einsum("bij,bjk->bik", x, y)', { x: [2, 3, 4], y: [2, 4, 2] }),
  row('torch.einsum("bhid,bhjd->bhij", x, y)', { x: [2, 2, 3, 4], y: [2, 2, 5, 4] }),
  row('torch.einsum("b h i d, b j d -> b h i j", x, y)', { x: [2, 2, 3, 4], y: [2, 5, 4] }),
  row('torch.einsum("...ij,...jk->...ik", x, y), torch.einsum("...ij, jk", x, z)', {
    x: [2, 3, 4],
    y: [1, 4, 2],
    z: [4, 2],
  }),
  row('torch.einsum("b...d,...d->b...", x, y)', { x: [2, 3, 2, 4], y: [3, 1, 4] }),
  row('torch.einsum("ii->i", x), torch.einsum("ii", x), torch.einsum("ij->ji", x)', { x: [3, 3] }),
  row('torch.einsum("ij->", x), torch.einsum("ij->i", x), torch.einsum("ba", x)', { x: [2, 3] }),
  row('torch.einsum("i,j->ij", x, y), torch.einsum("i,i", x, x), torch.einsum("i,i->i", x, x)', {
    x: [3],
    y: [2],
  }),
  row('torch.einsum("bi,oij,bj->bo", x, w, y)', { x: [2, 3], w: [4, 3, 2], y: [2, 2] }),
  row('torch.einsum("ij,kj,ij->ki", x, y, x), torch.einsum("iij,j->i", w, v)', {
    x: [2, 3],
    y: [4, 3],
    w: [2, 2, 3],
    v: [3],
  }),
  row('torch.einsum("bhwqd,bhwkd->bhwqk", x, y)', { x: [2, 1, 2, 3, 2], y: [2, 2, 2, 4, 2] }),
  row('F.linear(x, w, b)', { x: [2, 3, 4], w: [5, 4], b: [5] }),
  row('F.linear(x, w), F.linear(x, w[0])', { x: [2, 3, 4], w: [5, 4] }),
  row('self.m(x)', { x: [2, 4] }, { init: 'self.m = nn.Linear(4, 3)' }),
  row('self.m(x)', { x: [4] }, { init: 'self.m = nn.Linear(4, 3, bias=False)' }),
  row('self.m(x, y)', { x: [2, 3, 4], y: [2, 3, 2] }, { init: 'self.m = nn.Bilinear(4, 2, 3)' }),
  row('F.bilinear(x, y, w)', { x: [2, 3], y: [2, 4], w: [5, 3, 4] }),
  // What the source alone decides is folded.
  row('x + torch.outer(torch.ones(2), torch.ones(3)) + torch.ones(2, 4) @ torch.ones(4, 3)', {
    x: [2, 3],
  }),
  row('x + torch.einsum("i,j->ij", torch.ones(2), torch.ones(3) + 1)', { x: [2, 3] }),
];
