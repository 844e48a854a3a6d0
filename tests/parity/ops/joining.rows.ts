/** Rows of joins, repetitions, padding, turns, and windows. */
import { row } from './rows.ts';

/** Its result lies channels-last, and so do what moves its elements. */
const convolution = { init: 'self.m = nn.Conv2d(2, 4, 3)' };

export const joiningRows = [
  row(
    'x = self.m(x)\nreturn x[:, 1:3], x[1, ..., ::2], x[:, :, 0], x.chunk(2, 1)[1]',
    { x: [2, 2, 5, 6] },
    convolution,
  ),
  row(
    'x = self.m(x)\nreturn x.permute(0, 2, 3, 1), x.flatten(2).transpose(1, 2), x.permute(1, 0, 3, 2)',
    { x: [2, 2, 5, 4] },
    convolution,
  ),
  row(
    'x = self.m(x).permute(0, 2, 3, 1)\nreturn (x + 1).permute(0, 3, 1, 2), x.permute(0, 3, 1, 2)[:, 1]',
    { x: [2, 2, 5, 4] },
    convolution,
  ),
  row(
    'x = self.m(x)\nreturn F.channel_shuffle(x, 2), F.pixel_shuffle(x, 2), x.view(2, 4, 3, 2), x.flip(1)',
    { x: [2, 2, 5, 4] },
    convolution,
  ),
  row(
    'x = self.m(x)\ny = x + 1\ny[:, 1, ::2] = x[:, 0, ::2]\nreturn y, x.expand(3, 2, 4, 3, 2), x.repeat(1, 2, 1, 1), torch.stack([x, y])',
    { x: [2, 2, 5, 4] },
    convolution,
  ),
  row(
    'x = self.m(x)\nreturn F.pad(x, (1, 1, 0, 1), "reflect"), F.pad(x, (-1, 1, 0, 1)), x.roll(1, 2), x.unbind(1)[0]',
    { x: [2, 2, 5, 4] },
    convolution,
  ),
  row('torch.cat((x, y)), torch.cat([x, y, x], dim=0)', { x: [2, 3], y: [4, 3] }),
  row('torch.cat([x, y], 1), torch.concat([x, y], dim=-2), torch.concatenate([x, x], axis=2)', {
    x: [2, 3, 2],
    y: [2, 1, 2],
  }),
  row('torch.cat([x, x, x, x, x, x, x, x, x, x], 1)', { x: [2, 3] }),
  row('torch.cat([x, y], 3), torch.cat([x, y, x], -3)', {
    x: [2, 1, 3, 2, 2, 2],
    y: [2, 1, 3, 2, 2, 2],
  }),
  row('torch.cat([x, torch.zeros(0)])', { x: [2] }),
  row('torch.cat([x, i])', { x: [2], i: { shape: [3], dtype: 'int64', low: 0, high: 9 } }),
  row(
    'torch.cat([self.m(x), self.m(x)], 1)',
    { x: [1, 2, 4, 4] },
    { init: 'self.m = nn.Conv2d(2, 3, 3)' },
  ),
  row('torch.stack([x, y]), torch.stack((x, y), dim=1), torch.stack([x, y], -1)', {
    x: [2, 3],
    y: [2, 3],
  }),
  row('torch.stack([x[0, 0], y[1, 1], x[1, 2]])', { x: [2, 3], y: [2, 3] }),
  row('torch.hstack([x, y]), torch.vstack([x, y]), torch.dstack([x, y])', { x: [3], y: [3] }),
  row(
    'torch.hstack([x, y]), torch.vstack([x, y]), torch.dstack([x, y]), torch.column_stack([x, y])',
    {
      x: [2, 3],
      y: [2, 3],
    },
  ),
  row('torch.atleast_1d(x), torch.atleast_2d(x), torch.atleast_3d(x)', { x: [3] }),
  row('x.repeat(2, 3), x.repeat(2, 1, 2), x.repeat((1, 2)), x.tile(2), torch.tile(x, (2, 1, 2))', {
    x: [2, 3],
  }),
  row('x.repeat(1, 2, 1, 2, 1), x.repeat(2, 1, 2, 1, 2, 1)', { x: [2, 1, 2, 2, 3] }),
  row('x.repeat_interleave(3, dim=1), torch.repeat_interleave(x, 2, 0), x.repeat_interleave(2)', {
    x: [2, 3],
  }),
  row('x.repeat_interleave(2, dim=2)', { x: [2, 2, 3, 1, 2] }),
  row('F.pad(x, (1, 2)), F.pad(x, (0, 1, 2, 0), value=1.5), F.pad(x, [1, -1], "constant", 0)', {
    x: [3, 4],
  }),
  row('F.pad(x, (0, 0, 1, 1, 0, 1)), F.pad(x, (-1, 2, 0, 1), value=-2.0)', { x: [2, 3, 2, 2, 4] }),
  row('F.pad(x, (0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0))', { x: [1, 2, 2, 1, 2, 3] }),
  row(
    'F.pad(self.m(x), (1, 0, 0, 2))',
    { x: [1, 2, 4, 4] },
    { init: 'self.m = nn.Conv2d(2, 3, 3)' },
  ),
  row('F.pad(x, (1, 2), mode="reflect"), F.pad(x, (2, 1), mode="circular")', { x: [2, 3, 4] }),
  row('F.pad(x, (5, 0), mode="replicate"), F.pad(x, (4, 4), "circular")', { x: [2, 3, 4] }),
  row(
    'F.pad(x, (1, 2, 2, 1), "reflect"), F.pad(x, (1, 2, 2, 1), "replicate"), F.pad(x, (1, 2, 2, 1), "circular")',
    {
      x: [1, 2, 3, 4],
    },
  ),
  row('F.pad(x, (1, 1, 1, 0, 0, 1), "replicate"), F.pad(x, (1, 1, 1, 0, 0, 1), "reflect")', {
    x: [1, 2, 2, 3, 3],
  }),
  row('self.m(x)', { x: [1, 2, 3, 3] }, { init: 'self.m = nn.ZeroPad2d((1, 0, 2, -1))' }),
  row('self.m(x)', { x: [1, 2, 3, 3] }, { init: 'self.m = nn.ReflectionPad2d(1)' }),
  row('self.m(x)', { x: [2, 3, 4] }, { init: 'self.m = nn.ReflectionPad1d((1, 2))' }),
  row('self.m(x)', { x: [1, 2, 3, 3] }, { init: 'self.m = nn.ReplicationPad2d((1, 2, 0, 3))' }),
  row('self.m(x)', { x: [2, 2, 3] }, { init: 'self.m = nn.ReplicationPad1d(2)' }),
  row('self.m(x)', { x: [2, 2, 3] }, { init: 'self.m = nn.ConstantPad1d(2, 3.5)' }),
  row('self.m(x)', { x: [1, 2, 3, 3] }, { init: 'self.m = nn.CircularPad2d((1, 1, 2, 0))' }),
  row(
    'torch.roll(x, 1), x.roll(-2, 1), torch.roll(x, (1, -1), (0, 1)), x.roll(shifts=5, dims=-1)',
    {
      x: [3, 4],
    },
  ),
  row('torch.roll(x, shifts=(-1, -1), dims=(1, 2)), x.roll(1, 4)', { x: [2, 3, 4, 2, 3] }),
  row('x.flip(0), x.flip((0, 1)), torch.flip(x, [-1]), x.flip(1, 2), torch.fliplr(x), x.flipud()', {
    x: [2, 3, 4],
  }),
  row('x.flip(1, 4), x.flip([0, 5])', { x: [2, 3, 1, 2, 3, 2] }),
  row('torch.rot90(x), x.rot90(2), x.rot90(3, (0, 1)), torch.rot90(x, -1, [1, 2]), x.rot90(4)', {
    x: [2, 3, 4],
  }),
  row('torch.tril(x), x.tril(1), x.tril(-1), torch.triu(x, 2), x.triu(-1)', { x: [3, 4] }),
  row('x.tril(), x.triu(diagonal=1)', { x: [2, 2, 2, 3, 3] }),
  row('x = x.clone()\nreturn x.tril_(), x.clone().triu_(1)', { x: [3, 3] }),
  row('torch.diag(x), torch.diag(x, 1), x.diag(-2)', { x: [3, 4] }),
  row('torch.diag(x), torch.diag(x, 1), x.diag(-2)', { x: [3] }),
  row('F.pixel_shuffle(x, 2), torch.pixel_shuffle(x, 2), x.flip(1)', { x: [2, 8, 2, 3] }),
  row('self.m(x)', { x: [9, 2, 3] }, { init: 'self.m = nn.PixelShuffle(3)' }),
  row('F.pixel_unshuffle(x, 2)', { x: [2, 3, 4, 6] }),
  row('self.m(x)', { x: [1, 2, 4, 6] }, { init: 'self.m = nn.PixelUnshuffle(2)' }),
  row('F.channel_shuffle(x, 2)', { x: [2, 6, 2, 3] }),
  row('self.m(x)', { x: [2, 6, 2, 3] }, { init: 'self.m = nn.ChannelShuffle(3)' }),
  row('x.unfold(1, 3, 2), x.unfold(-1, 2, 1), x.unfold(0, 2, 3)', { x: [2, 5, 4] }),
  row('F.unfold(x, 2), F.unfold(x, (3, 2), padding=(1, 2), stride=(2, 1))', { x: [2, 3, 5, 4] }),
  row('F.unfold(x, kernel_size=3, dilation=2, padding=2, stride=2)', { x: [1, 2, 6, 5] }),
  row('self.m(x)', { x: [1, 2, 4, 4] }, { init: 'self.m = nn.Unfold(2, stride=2)' }),
  row('F.fold(x, (4, 5), 2)', { x: [2, 12, 12] }),
  row('F.fold(x, (5, 4), (3, 2), padding=(1, 2), stride=(2, 1), dilation=(1, 2))', {
    x: [1, 6, 18],
  }),
  row('self.m(x)', { x: [1, 8, 4] }, { init: 'self.m = nn.Fold(4, 2, stride=2)' }),
  // What the source alone decides is folded.
  row('x + torch.cat([torch.ones(2), torch.zeros(1)]).repeat(2).roll(1).flip(0)', { x: [6] }),
  row('x + F.pad(torch.tril(torch.ones(3, 3)), (1, 2), value=2.0).T.repeat_interleave(2, 1)', {
    x: [6, 6],
  }),
];
