import { elementwise } from '#lib/runtime/ops/elementwise/index.ts';
import { compareOps } from './compare.ts';
import { activations } from './elementwise.activations.ts';
import { row } from './rows.ts';

const integers = { shape: [2, 3], dtype: 'int64', low: -6, high: 9 } as const;
const positive = { shape: [2, 3], low: 0.3, high: 4 } as const;
const small = { shape: [2, 3], low: -1e-3, high: 1e-3 } as const;
const unit = { shape: [2, 3], low: -0.95, high: 0.95 } as const;
const wide = { shape: [4, 50], low: -300, high: 300 } as const;
const halves = { shape: [7], values: [-2.5, -1.5, -0.5, 0, 0.5, 1.5, 2.5] } as const;
const ties = { x: { shape: [4], values: [1, 2, 3, 0] }, y: { shape: [4], values: [2, 2, 1, 0] } };

compareOps('elementwise', Object.keys(elementwise), [
  // Arithmetic and its broadcasting, numbers on either side, dtypes
  row('x + y', { x: [2, 3], y: [3] }),
  row('torch.add(x, y, alpha=2)', { x: [2, 3, 4, 5], y: [3, 1, 5] }),
  row('x + 2', { x: [2, 3] }),
  row('1.5 + x', { x: { shape: [4], dtype: 'int64', low: -3, high: 9 } }),
  row('x.add(y, alpha=3) + x', { x: integers, y: integers }),
  row('x - y', { x: [2, 1, 3], y: [4, 1] }),
  row('1 - x', { x: [2, 3] }),
  row('torch.sub(x, y, alpha=0.5)', { x: [2, 3], y: [2, 3] }),
  row('x * y', { x: [2, 3], y: [2, 3] }),
  row('x * y', { x: [2, 3], y: integers }),
  row('x * y', { x: [1, 2, 3, 1, 2], y: [2, 2, 1, 4, 1] }),
  row('x * y + (x & y)', {
    x: { shape: [6], dtype: 'bool' },
    y: { shape: [6], dtype: 'bool' },
  }),
  row('x / y', { x: [2, 3], y: positive }),
  row('x / 4, 3 / (x.abs() + 1)', { x: [2, 3] }),
  row('x / 7', { x: integers }),
  row('x // 4, x % 4, x // -3, x % -3', { x: integers }),
  row('x.detach() // 0.75, x % 0.75', { x: [2, 3] }),
  row('torch.div(x, 4, rounding_mode="trunc"), torch.fmod(x, 4)', { x: integers }),
  row('torch.div(x, y, rounding_mode="trunc"), torch.fmod(x, y)', { x: [2, 3], y: positive }),
  row('torch.remainder(x, y), torch.div(x, y, rounding_mode="floor")', { x: [2, 3], y: positive }),
  row('x % 3, x.detach() // 3, torch.fmod(x, 3)', {
    x: { shape: [9], values: [-9, -6, -3, 0, 3, 6, 9, 12, 39] },
  }),
  row('x ** 2, x ** 3, x ** 4', { x: [2, 3] }),
  row('x ** 5', { x: [2, 3] }),
  row('x ** 0.5 + x ** -0.5 + x ** -1 + x ** 1.7 + x ** 0', { x: positive }),
  row('x ** -2', { x: [2, 3] }),
  row('torch.pow(x, y)', { x: positive, y: [3] }),
  row('2 ** x + torch.pow(0.5, x)', { x: [2, 3] }),
  row(
    'torch.pow(x, y)',
    {
      x: { shape: [4], values: [-2, -0.5, 3, -1.5] },
      y: { shape: [4], values: [2, 3, -1, 4] },
    },
    { noGradient: 'of a negative base, the gradient of the exponent is NaN' },
  ),
  row('x ** 2 + x ** 3', { x: integers }),
  row('torch.maximum(x, y) + 2 * torch.minimum(x, y)', ties),
  row('torch.maximum(x, y) - torch.minimum(x, y)', { x: [2, 3], y: [3] }),
  row('torch.atan2(x, y)', { x: [3, 4], y: [4] }),
  row('torch.addcmul(x, x, y, value=0.5) + torch.addcdiv(x, x, y, value=2)', {
    x: [2, 3],
    y: positive,
  }),
  row('torch.lerp(x, y, 0.3) + x.lerp(y, z) + torch.rsub(x, y)', {
    x: [2, 3],
    y: [2, 3],
    z: [3],
  }),
  // In place
  row(
    'y = x * 1\ny += 1\ny *= 2\ny -= x\ny /= 3\ny.mul_(0.5).add_(x, alpha=2).neg_().exp_()\nreturn y',
    { x: [2, 3] },
  ),
  row(
    'y = x * 1\ny.clamp_(-0.5, 0.5).masked_fill_(x > 0.2, 3.0)\nz = x.detach() * 1\nz **= 2\nz.sin_()\nreturn y, z',
    {
      x: [2, 3],
    },
  ),
  // Comparisons and logic
  row('x < 0, x <= y, x > y, x >= 0.5, x == y, x != y', { x: [2, 3], y: [3] }),
  row('x < 2, x == 2, 3 >= x, x != 1.5, x.ge(0), torch.less(x, 4)', { x: integers }),
  row('(x > 0) & (y > 0), (x > 0) | (y > 0), (x > 0) ^ (y > 0), ~(x > 0)', { x: [6], y: [6] }),
  row(
    'torch.logical_and(x, y), torch.logical_or(x, y), torch.logical_xor(x, y), torch.logical_not(x)',
    {
      x: { shape: [8], dtype: 'int64', low: 0, high: 2 },
      y: { shape: [8] },
    },
  ),
  row('-x, ~x, x.abs(), x.sign(), x.square(), x.relu(), x.floor()', { x: integers }),
  row('torch.isnan(x), torch.isinf(x), torch.isfinite(x), torch.nan_to_num(x, 1.5)', {
    x: [5],
    y: [5],
  }),
  row(
    'y = x / (x > 0).float()\nreturn torch.isinf(y), torch.isnan(y - y), torch.nan_to_num(y, posinf=2.0, neginf=-1.0)',
    {
      x: { shape: [4], values: [1, -1, 2, -3] },
    },
    { noGradient: 'a division by zero has none' },
  ),
  // Functions
  row('x.exp() + torch.expm1(x) + x.sigmoid() + torch.tanh(x)', { x: [2, 3] }),
  row('torch.expm1(x)', { x: small }),
  row('torch.log1p(x)', { x: small }),
  row('torch.tanh(x)', { x: small }),
  row('torch.erf(x)', { x: small }),
  row('torch.sinh(x)', { x: small }),
  row('torch.log1p(x)', { x: { shape: [40], low: -0.9, high: 3 } }),
  row('torch.expm1(x)', { x: { shape: [40], low: -3, high: 3 } }),
  row('torch.erf(x)', { x: { shape: [60], low: -4, high: 4 } }),
  row('torch.erfc(x) + torch.exp2(x)', { x: { shape: [60], low: -2, high: 2 } }),
  row('torch.tanh(x)', { x: { shape: [60], low: -12, high: 12 } }),
  row('x.log() + torch.log2(x) + torch.log10(x) + x.sqrt() + torch.rsqrt(x) + x.reciprocal()', {
    x: positive,
  }),
  row('torch.sin(x)', { x: wide }),
  row('torch.cos(x)', { x: wide }),
  row('torch.sin(x) + torch.cos(x)', { x: { shape: [2, 3, 4, 5] } }),
  row('torch.tan(x)', { x: { shape: [20], low: -1.2, high: 1.2 } }),
  row('torch.asin(x)', { x: unit }),
  row('torch.acos(x)', { x: unit }),
  row('torch.atan(x)', { x: { shape: [60], low: -20, high: 20 } }),
  row('torch.sinh(x) + torch.cosh(x)', { x: [2, 3] }),
  row('x.abs() + x.sign() + x.square() + torch.neg(x)', { x: halves }),
  row('torch.round(x), x.floor(), torch.ceil(x), x.trunc(), x.frac()', { x: halves }),
  row('torch.sqrt(x) + torch.sin(x)', { x: { shape: [5], dtype: 'int64', low: 0, high: 9 } }),
  // Choices, limits, conversions
  row('torch.where(x > 0, x, y)', { x: [2, 3, 1], y: [4] }),
  // Five and six axes.
  row('torch.where(x > y, x * y, y), (x + y) > 0', { x: [2, 1, 2, 3, 2], y: [2] }),
  row('F.normalize(x - y, dim=2), y / (x.abs() + 1)', { x: [1, 2, 3, 2, 1, 3], y: [3] }),
  row('torch.where(x > 0, x * 2, 0.5) + torch.where(x > 0, 1.0, x) + x.where(x < 1, 3)', {
    x: [2, 3],
  }),
  row('torch.where(x > 0, 1.0, 0.0) + x', { x: [2, 3] }),
  row('torch.where(m, x, y)', {
    m: { shape: [2, 1, 3, 1, 2], dtype: 'bool' },
    x: [2, 2, 3, 1, 2],
    y: [1],
  }),
  row('x.masked_fill(m, -1e9) + x.masked_fill(x > 1, 0)', {
    x: [2, 3],
    m: { shape: [2, 1], dtype: 'bool' },
  }),
  row('x.masked_fill(m, float("-inf")).exp()', { x: [2, 3], m: { shape: [2, 3], dtype: 'bool' } }),
  row('torch.clamp(x, -0.5, 0.5) + x.clamp(min=0) + torch.clamp_max(x, 1)', { x: halves }),
  row('x.clamp(2, 5), x.clamp(max=3)', { x: integers }),
  row('x.clamp(min=y) + torch.clamp(x, max=y)', { x: [2, 3], y: [3] }),
  row('x.long(), x.to(torch.int32), x.bool(), (x > 0).float(), (x > 0).to(torch.int64)', {
    x: halves,
  }),
  row('x.float() + y.type_as(x) + y.to(x.dtype) + x.type(torch.float32)', {
    x: [2, 3],
    y: { shape: [3], dtype: 'bool' },
  }),
  row('x * x.detach() + x.long().float() * x', { x: [2, 3] }),
  ...activations,
]);
