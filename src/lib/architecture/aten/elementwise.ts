/** Arithmetic, activations and comparisons. */
import { unsupported } from '../python/errors.ts';
import { PyTensor } from '../torch/tensor.ts';
import { PyDtype } from '../torch/dtypes.ts';
import { to } from '../torch/ops/arithmetic.ts';
import type { Given } from '../torch/arguments.ts';
import type { Adapter, Adapters, Aten } from './adapter.ts';

/** Functions of one tensor with the same name in `torch`. */
const unary =
  'neg abs exp exp2 expm1 log log2 log10 log1p sqrt rsqrt reciprocal square sign sin cos tan asin \
acos atan sinh cosh tanh sigmoid erf floor ceil round trunc frac relu isnan isinf isfinite \
logical_not bitwise_not';

/** Functions of two with the same name in `torch`. */
const binary =
  'mul true_divide floor_divide remainder fmod maximum minimum atan2 eq ne lt le gt ge logical_and \
logical_or logical_xor bitwise_and bitwise_or bitwise_xor';

const same = (names: string, schema: string): [string, Adapter][] =>
  names.split(' ').map((name) => [name, [schema, `torch.${name}`]]);

export const elementwise: Adapters = {
  ...Object.fromEntries(same(unary, 'self')),
  ...Object.fromEntries(same(binary, 'self, other')),
  add: scaled('add'),
  sub: scaled('sub'),
  rsub: [
    'self, other, *, alpha=1',
    (given, aten) => {
      plain(given, ['alpha'], 1);
      return aten.python('torch.add', [
        aten.python('torch.neg', [given.value('self')]),
        given.value('other'),
      ]);
    },
  ],
  div: ['self, other, *, rounding_mode=None', 'torch.div'],
  pow: ['self, exponent', 'torch.pow'],
  abs_: ['self', (given) => given.tensor('self')],
  __and__: ['self, other', 'torch.bitwise_and'],
  __or__: ['self, other', 'torch.bitwise_or'],
  __xor__: ['self, other', 'torch.bitwise_xor'],
  clamp: ['self, min=None, max=None', 'torch.clamp'],
  clamp_min: ['self, min', 'torch.clamp'],
  clamp_max: [
    'self, max',
    (given, aten) => aten.python('torch.clamp', [given.value('self')], { max: given.value('max') }),
  ],
  where: ['condition, self, other', 'torch.where'],
  masked_fill: ['self, mask, value', '.masked_fill'],
  nan_to_num: ['self, nan=None, posinf=None, neginf=None', 'torch.nan_to_num'],
  addcmul: ['self, tensor1, tensor2, *, value=1', 'torch.addcmul'],
  addcdiv: ['self, tensor1, tensor2, *, value=1', 'torch.addcdiv'],
  lerp: ['self, end, weight', 'torch.lerp'],

  relu6: ['self', 'F.relu6'],
  silu: ['self', 'F.silu'],
  mish: ['self', 'F.mish'],
  selu: ['self', 'F.selu'],
  hardswish: ['self', 'F.hardswish'],
  hardsigmoid: ['self', 'F.hardsigmoid'],
  log_sigmoid: ['self', 'F.logsigmoid'],
  celu: ['self, alpha=1.0', 'F.celu'],
  leaky_relu: ['self, negative_slope=0.01', 'F.leaky_relu'],
  hardtanh: ['self, min_val=-1, max_val=1', 'F.hardtanh'],
  softplus: ['self, beta=1, threshold=20', 'F.softplus'],
  threshold: ['self, threshold, value', 'F.threshold'],
  prelu: ['self, weight', 'F.prelu'],
  _prelu_kernel: ['self, weight', 'F.prelu'],
  glu: ['self, dim=-1', 'F.glu'],
  gelu: ["self, *, approximate='none'", 'F.gelu'],
  elu: [
    'self, alpha=1, scale=1, input_scale=1',
    (given, aten) => {
      plain(given, ['scale', 'input_scale'], 1);
      return aten.python('F.elu', [given.value('self'), given.value('alpha')]);
    },
  ],

  _to_copy: [
    'self, *, dtype=None, layout=None, device=None, pin_memory=None, non_blocking=False, memory_format=None',
    converted,
  ],
  to: [
    'self, a=None, b=None, c=None, d=None, e=None, *, dtype=None, layout=None, device=None, pin_memory=None, non_blocking=False, copy=False, memory_format=None, other=None',
    converted,
  ],
  type_as: ['self, other', (given) => to(given.tensor('self'), given.tensor('other').dtype)],
  detach: ['self', '.detach'],
  alias: ['self', (given) => given.tensor('self')],
  lift_fresh: ['self', (given) => given.tensor('self')],
  contiguous: ['self, memory_format=None', '.contiguous'],
  clone: ['self, *, memory_format=None', '.clone'],
  lift_fresh_copy: ['self', '.clone'],
  copy: [
    'self, src, non_blocking=False',
    (given, aten) => {
      const self = given.tensor('self');
      return aten.tensor('.expand_as', [to(given.tensor('src'), self.dtype), self]);
    },
  ],
  fill: [
    'self, value',
    (given, aten) => aten.python('torch.full_like', [given.value('self'), given.value('value')]),
  ],
  zero: ['self', 'torch.zeros_like'],
};

/** self ± alpha · other. Programs write a number as self, too, where the schema has a tensor. */
function scaled(name: 'add' | 'sub'): Adapter {
  return [
    'self, other, *, alpha=1',
    (given, aten) => {
      const [self, other] = [given.value('self'), given.value('other')];
      const alpha = given.value('alpha');
      if (self instanceof PyTensor || !(other instanceof PyTensor)) {
        return aten.python(`torch.${name}`, [self, other], { alpha });
      }
      plain(given, ['alpha'], 1);
      const sign = name === 'add' ? other : aten.python('torch.neg', [other]);
      return aten.python('torch.add', [sign, self]);
    },
  ];
}

/**
 * The forms of `to` differ in their order; a dtype or a tensor among them says what it becomes. A
 * number is a dtype's: memory formats, numbers too, come after it.
 */
function converted(given: Given, aten: Aten): PyTensor {
  const self = given.tensor('self');
  for (const name of ['dtype', 'other', ...'abcde']) {
    const like = aten.dtype(given.optional(name));
    if (like instanceof PyDtype || like instanceof PyTensor) return to(self, like.dtype);
  }
  return self;
}

/** Arguments that only torch's own kernels give another value. */
export function plain(given: Given, names: readonly string[], value: number): void {
  for (const name of names) {
    if (given.float(name) === value) continue;
    throw unsupported(
      `the argument ${name}=${given.float(name)} of this operator is not supported`,
    );
  }
}
