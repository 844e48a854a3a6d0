/** Numbers at the edges: NaN, ties, signs of quotients and remainders, bools. */
import { compareOps } from './compare.ts';
import { row, type InputSpec } from './rows.ts';

const floats = (...values: number[]): InputSpec => ({ shape: [2, 3], values });
const whole = (...values: number[]): InputSpec => ({ shape: [2, 3], dtype: 'int64', values });
const nans = floats(1, Number.NaN, -2, 3, 0, Number.NaN);
const ties = floats(2, 1, 2, 0, 0, 0);
const why = 'ties or NaN';

compareOps('edges', null, [
  row(
    'torch.isnan(x.max(1)[0]), torch.isnan(x.amin(1)), torch.isnan(x.max())',
    { x: nans },
    { noGradient: why },
  ),
  row(
    'torch.isnan(x.clamp(-1, 2)), torch.isnan(F.relu(x)), torch.isnan(torch.maximum(x, x * 0))',
    { x: nans },
    { noGradient: why },
  ),
  row('x.argmax(1), x.argmin(0), x.max(0)[1], x.argmax()', { x: nans }, { noGradient: why }),
  row('x.argmax(1), x.argmin(1), x.max(1), x.min(0)[1]', { x: ties }, { noGradient: why }),
  row(
    'x.sort(dim=1, stable=True), x.sort(dim=1, descending=True, stable=True), x.argsort(dim=0, stable=True)',
    { x: ties },
    { noGradient: why },
  ),
  row('a // b, a % b, a.fmod(b), a.div(b, rounding_mode="trunc"), torch.remainder(a, -3), a / b', {
    a: whole(7, -7, 7, -7, 6, -6),
    b: whole(3, 3, -3, -3, 3, -2),
  }),
  row('m.any(), m.all(1), m.sum(0), m.any(1, keepdim=True), m.cumsum(1), (~m).float().mean(0)', {
    m: { shape: [2, 3], dtype: 'bool', values: [1, 0, 0, 1, 1, 1] },
  }),
]);
