/** Rows of views: the same elements under another shape, and changes in place that reach them. */
import { row } from './rows.ts';

const integers = { shape: [2, 6], dtype: 'int64' as const, low: -5, high: 5 };

export const viewRows = [
  row('x.view(-1, 4).reshape(2, 2, 3)', { x: [3, 4] }),
  row('x.view((2, 6)), x.view(size=(6, 2)), x.reshape(shape=(12,))', { x: [3, 4] }),
  row('torch.reshape(x, (4, -1)), x.view_as(y), x.reshape_as(y)', { x: [3, 4], y: [2, 6] }),
  row('torch.flatten(x, 1), x.flatten(), x.flatten(-2, -1), torch.ravel(x)', { x: [2, 3, 4] }),
  row('torch.flatten(x), x.reshape(1).view([])', { x: [] }),
  row('x.unflatten(1, (2, -1)), torch.unflatten(x, -1, (2, 2))', { x: [2, 6, 4] }),
  row('self.m(x)', { x: [2, 6, 4] }, { init: 'self.m = nn.Unflatten(1, (2, 3))' }),
  row('self.m(x)', { x: [2, 6, 4] }, { init: 'self.m = nn.Flatten()' }),
  row('x.squeeze(), x.squeeze(0), x.squeeze(1), x.squeeze((0, -1))', { x: [1, 3, 1, 4, 1] }),
  row('x.unsqueeze(0), x.unsqueeze(-1), torch.unsqueeze(x, 1)', { x: [2, 3] }),
  row('x.transpose(1, 2), x.transpose(-1, 0), x.swapaxes(0, 1), x.swapdims(0, 2)', {
    x: [2, 3, 4],
  }),
  row('x.permute(2, 0, 1), x.transpose(0, 2), (x > 0).permute(1, 0, 2)', {
    x: { shape: [2, 3, 4], dtype: 'int64', low: -5, high: 5 },
  }),
  row('x.t(), x.T, torch.t(x), x.mT, x.unsqueeze(0).mT, x.adjoint()', { x: [2, 3] }),
  row('x.permute(2, 0, 1), x.permute((0, 2, 1)), torch.permute(x, (-1, 1, 0))', { x: [2, 3, 4] }),
  row('x.permute(0, 2, 3, 1).permute(0, 3, 1, 2), x.permute(dims=(0, 3, 1, 2))', {
    x: [2, 3, 4, 5],
  }),
  row('x.permute(0, 4, 1, 3, 2), x.permute(4, 3, 2, 1, 0)', { x: [2, 3, 4, 2, 3] }),
  row('x.permute(0, 1, 3, 2, 4, 5).reshape(-1, 2, 2, 3), x.permute(5, 3, 1, 4, 2, 0)', {
    x: [2, 2, 3, 2, 2, 3],
  }),
  // Seven axes are more than WebGPU adds up: each input is used once, the output flattened.
  row('x.permute(6, 4, 2, 0, 5, 3, 1).flatten()', { x: [2, 3, 2, 2, 2, 2, 3] }),
  row('x.permute(1, 0, 2, 3, 4, 6, 5).flatten(2)', { x: [2, 3, 2, 2, 2, 2, 3] }),
  row('torch.movedim(x, 1, -1), x.movedim((0, 1), (2, 0)), x.moveaxis(0, 1)', { x: [2, 3, 4] }),
  row('x.expand(4, -1, 3), x.expand((2, 4, 2, 3)), x.expand(size=(4, 2, 3))', { x: [1, 2, 3] }),
  row('x.expand_as(y), torch.broadcast_to(x, (2, 3, 4)), x.broadcast_to((3, 4))', {
    x: [3, 1],
    y: [2, 3, 4],
  }),
  row('x.expand(2, 3, 2, 4, 2)', { x: [2, 1, 2, 1, 2] }),
  row('x.expand(2, 3, 2, 4, 2, 3)', { x: [1, 3, 1, 4, 1, 3] }),
  row('torch.broadcast_tensors(x, y)', { x: [3, 1], y: [1, 4] }),
  row('x.narrow(1, 1, 2), torch.narrow(x, -1, -3, 2), x.select(1, -1), x.select(0, 1)', {
    x: [2, 3, 4],
  }),
  row('x.split(2, dim=1)', { x: [2, 5, 3] }),
  row('torch.split(x, [1, 4], 1) + x.split_with_sizes([1, 1], 0)', { x: [2, 5, 3] }),
  row('x.chunk(3, dim=-1) + torch.chunk(x, 5)', { x: [4, 7] }),
  row('x.tensor_split(3) + torch.tensor_split(x, (1, 3), dim=1)', { x: [4, 5] }),
  row('torch.hsplit(x, 2) + torch.vsplit(x, 2) + x.dsplit([1])', { x: [4, 2, 3] }),
  row('x.unbind() + torch.unbind(x, -1)', { x: [2, 3, 2] }),
  row('a, b = x\nreturn a + b', { x: [2, 3] }),
  row('total = x[0]\nfor row in x:\n    total = total + row\nreturn total', { x: [3, 2] }),
  row('x.diagonal(), torch.diagonal(x, 1, 1, 2), x.diagonal(-1, -2, -1), x.diagonal(2, 1, 0)', {
    x: [3, 4, 5],
  }),
  row('x.clone() + x.contiguous()', { x: [2, 3] }),
  row('assert x.size(-1) == x.shape[2] == 2\nreturn x.view(x.size(0), -1)', { x: [2, 3, 2] }),

  // Changes in place, seen by all that look at the same elements.
  row('x = x.clone()\ny = x.view(6)\ny += 1\nreturn x, y', { x: [2, 3] }),
  row('x = x.clone()\ny = x[:, 1]\nx += 2\nreturn x, y', { x: [2, 3] }),
  row('x = x.clone()\nx[:, 1] += y\nreturn x', { x: [2, 3], y: [2] }),
  row('x = x.clone()\ny = x.transpose(0, 1)[1]\nz = x.unsqueeze(0)\ny.add_(1)\nreturn x, y, z', {
    x: [2, 3],
  }),
  // Of integers: where there are gradients, PyTorch refuses to change one of several views.
  row('x = x.clone()\nfor row in x:\n    row += row\nreturn x', { x: integers }),
  row('x = x.clone()\na, b = x.chunk(2, dim=1)\na.add_(b)\nb += 1\nreturn x', { x: integers }),
  row('x = x.clone()\nx.diagonal().add_(y)\nreturn x', { x: [3, 3], y: [3] }),
  row('x = x.clone()\nx.select(1, 0).copy_(y)\nreturn x', { x: [3, 3], y: [3] }),
  row('y = x.clone()\ny += 1\nreturn x, y', { x: [2, 3] }),
];
