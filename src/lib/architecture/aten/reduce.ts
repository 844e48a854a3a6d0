/** Reductions, softmax and matrix products. */
import { unsupported } from '../python/errors.ts';
import { PyTensor } from '../torch/tensor.ts';
import { to } from '../torch/ops/arithmetic.ts';
import type { Given } from '../torch/arguments.ts';
import type { Adapter, Adapters, Aten } from './adapter.ts';
import { plain } from './elementwise.ts';

const reduced: Adapter[0] = 'self, dim=None, keepdim=False, *, dtype=None';

/** torch.sum and its like, where None is another call than no dim. */
const reduction =
  (name: string): Exclude<Adapter[1], string> =>
  (given, aten) => {
    const dtype = given.dtypeOrNone('dtype');
    const self = dtype ? to(given.tensor('self'), dtype) : given.tensor('self');
    if (given.value('dim') === null) return aten.python(name, [self]);
    return aten.python(name, [self, given.value('dim'), given.value('keepdim')]);
  };

/** `max(self)`, `max(self, other)`, and `max(self, dim, keepdim)` with its indices. */
const extreme = (name: 'max' | 'min'): Adapter => [
  'self, dim=None, keepdim=False, *, other=None',
  (given, aten) => {
    const self = given.tensor('self');
    const other = given.value('other') ?? given.value('dim');
    if (other === null) return aten.python(`torch.${name}`, [self]);
    if (other instanceof PyTensor) return aten.python(`torch.${name}imum`, [self, other]);
    return aten.python(`torch.${name}`, [self, other, given.value('keepdim')]);
  },
];

/** var and std: the second argument is a bool, `unbiased`, or the axes. */
const spread = (name: 'var' | 'std'): Adapter => [
  'self, dim=None, unbiased=True, keepdim=False, *, correction=None',
  (given, aten) => {
    const self = given.tensor('self');
    const dim = given.value('dim');
    const unbiased = typeof dim === 'boolean' ? dim : given.bool('unbiased');
    const correction = given.value('correction') ?? (unbiased ? 1n : 0n);
    const dims = typeof dim === 'boolean' ? null : dim;
    return aten.python(`torch.${name}`, [self], {
      correction,
      ...(dims !== null && { dim: dims, keepdim: given.value('keepdim') }),
    });
  },
];

const softmax =
  (name: 'softmax' | 'log_softmax'): Exclude<Adapter[1], string> =>
  (given, aten) => {
    const dtype = given.dtypeOrNone('dtype');
    const self = dtype ? to(given.tensor('self'), dtype) : given.tensor('self');
    return aten.python(`torch.${name}`, [self, given.value('dim')]);
  };

const rawSoftmax = (name: 'softmax' | 'log_softmax'): Adapter => [
  'self, dim, half_to_float=False',
  (given, aten) => {
    if (given.bool('half_to_float')) throw unsupported(`_${name} from half is not supported`);
    return aten.python(`torch.${name}`, [given.value('self'), given.value('dim')]);
  },
];

/** beta · self + alpha · product */
function plusProduct(given: Given, aten: Aten, first: string, second: string): PyTensor {
  plain(given, ['beta', 'alpha'], 1);
  const product = aten.tensor('torch.matmul', [given.value(first), given.value(second)]);
  return aten.tensor('torch.add', [given.value('self'), product]);
}

export const reduce: Adapters = {
  sum: [reduced, reduction('torch.sum')],
  mean: [reduced, reduction('torch.mean')],
  prod: [reduced, reduction('torch.prod')],
  any: ['self, dim=None, keepdim=False, *, dtype=None', reduction('torch.any')],
  all: ['self, dim=None, keepdim=False, *, dtype=None', reduction('torch.all')],
  amax: ['self, dim=None, keepdim=False', absent('torch.amax')],
  amin: ['self, dim=None, keepdim=False', absent('torch.amin')],
  max: extreme('max'),
  min: extreme('min'),
  var: spread('var'),
  std: spread('std'),
  argmax: ['self, dim=None, keepdim=False', 'torch.argmax'],
  argmin: ['self, dim=None, keepdim=False', 'torch.argmin'],
  logsumexp: ['self, dim, keepdim=False', 'torch.logsumexp'],
  norm: ['self, p=2, dim=None, keepdim=False', 'torch.norm'],
  linalg_vector_norm: [
    'self, ord=2, dim=None, keepdim=False, *, dtype=None',
    (given, aten) =>
      aten.python('torch.norm', [given.value('self'), given.value('ord')], {
        ...(given.value('dim') !== null && {
          dim: given.value('dim'),
          keepdim: given.value('keepdim'),
        }),
      }),
  ],
  cumsum: ['self, dim, *, dtype=None', 'torch.cumsum'],
  cumprod: ['self, dim, *, dtype=None', 'torch.cumprod'],
  topk: ['self, k, dim=-1, largest=True, sorted=True', 'torch.topk'],
  sort: ['self, dim=-1, descending=False', 'torch.sort'],
  argsort: ['self, dim=-1, descending=False', 'torch.argsort'],
  softmax: ['self, dim, dtype=None', softmax('softmax')],
  log_softmax: ['self, dim, dtype=None', softmax('log_softmax')],
  _softmax: rawSoftmax('softmax'),
  _log_softmax: rawSoftmax('log_softmax'),

  matmul: ['self, other', 'torch.matmul'],
  mm: ['self, mat2', 'torch.matmul'],
  bmm: ['self, mat2', 'torch.matmul'],
  mv: ['self, vec', 'torch.matmul'],
  dot: ['self, tensor', 'torch.matmul'],
  outer: ['self, vec2', 'torch.outer'],
  einsum: [
    'equation, tensors, *, path=None',
    (given, aten) => aten.python('torch.einsum', [given.value('equation'), given.value('tensors')]),
  ],
  addmm: [
    'self, mat1, mat2, *, beta=1, alpha=1',
    (g, aten) => plusProduct(g, aten, 'mat1', 'mat2'),
  ],
  baddbmm: [
    'self, batch1, batch2, *, beta=1, alpha=1',
    (given, aten) => plusProduct(given, aten, 'batch1', 'batch2'),
  ],
  addmv: [
    'self, mat, vec, *, beta=1, alpha=1',
    (given, aten) => plusProduct(given, aten, 'mat', 'vec'),
  ],
  linear: ['input, weight, bias=None', 'F.linear'],
  bilinear: ['input1, input2, weight, bias=None', 'F.bilinear'],
};

/** Without a dim, or with none of them, all axes are meant. */
function absent(name: string): Exclude<Adapter[1], string> {
  return (given, aten) => {
    const dim = given.value('dim');
    const isNone = dim === null || (typeof dim === 'object' && given.ints('dim').length === 0);
    if (isNone) return aten.python(name, [given.value('self')]);
    return aten.python(name, [given.value('self'), dim, given.value('keepdim')]);
  };
}
