/** Elements picked and replaced by index tensors, as functions and as methods. */
import { raised, unsupported } from '../../python/errors.ts';
import type { Given } from '../arguments.ts';
import type { Function, Functions, Method, Methods } from '../natives.ts';
import * as ops from '../ops/index.ts';
import type { PyTensor } from '../tensor.ts';

/** The method that changes the tensor itself to what the function gives. */
function inPlace([signature, body]: Function): Method {
  return [
    signature.replace('input, ', ''),
    (self, given, rest) => {
      self.become(body(given.with('input', self), rest) as PyTensor);
      return self;
    },
  ];
}

const scatter: Function = [
  'input, dim, index, src=None, *, value=None, reduce=None',
  (given) => {
    const reduce = given.value('reduce');
    if (reduce !== null && reduce !== 'add') {
      throw unsupported(`scatter with reduce=${String(reduce)} is not supported`);
    }
    return scattered(given, given.value('value') === null ? 'src' : 'value', reduce !== null);
  },
];

const scatterAdd: Function = ['input, dim, index, src', (given) => scattered(given, 'src', true)];

function scattered(given: Given, name: string, add: boolean): PyTensor {
  const source = given.tensorOrNumber(name);
  return ops.scatter(given.tensor('input'), given.int('dim'), given.tensor('index'), source, add);
}

const indexPut: Function = [
  'input, indices, values, accumulate=False',
  (given) => {
    const x = given.tensor('input');
    const indices = given.tensors('indices');
    const dims = indices.map((_, axis) => axis);
    if (indices.some(({ dtype }) => dtype === 'bool')) {
      throw unsupported('index_put with a mask is not supported: torch.where keeps the shape');
    }
    return ops.indexPut(x, dims, indices, given.tensor('values'), given.bool('accumulate'));
  },
];

const indexAdd: Function = [
  'input, dim, index, source, *, alpha=1',
  (given) => {
    if (given.float('alpha') !== 1) throw unsupported('index_add with alpha is not supported');
    return alongIndex(given, given.tensor('source'), true);
  },
];

const indexCopy: Function = [
  'input, dim, index, source',
  (given) => alongIndex(given, given.tensor('source'), false),
];

const indexFill: Function = [
  'input, dim, index, value',
  (given) => {
    const x = given.tensor('input');
    const value = given.tensorOrNumber('value');
    return alongIndex(given, typeof value === 'number' ? ops.numberLike(x, value) : value, false);
  },
];

/** Puts `source` where the index names places of one axis. */
function alongIndex(given: Given, source: PyTensor, accumulate: boolean): PyTensor {
  const x = given.tensor('input');
  const index = given.tensor('index');
  if (source.dtype !== x.dtype) {
    throw raised('RuntimeError', `the source is ${source.dtype}, the tensor ${x.dtype}`);
  }
  return ops.indexPut(x, [ops.axisOf(x, given.int('dim'), 'index')], [index], source, accumulate);
}

/** The shape of the result depends on the values. */
function refused(name: string): Function {
  return [
    'input, *args, **options',
    () => {
      throw unsupported(
        `${name} is not supported: the shape of its result depends on values; torch.where keeps the shape`,
      );
    },
  ];
}

/** Functions of `torch` that are methods, too. */
export const tensor: Functions = {
  gather: [
    'input, dim, index, *, sparse_grad=False',
    (given) => ops.gather(given.tensor('input'), given.int('dim'), given.tensor('index')),
  ],
  index_select: [
    'input, dim, index',
    (given) => ops.indexSelect(given.tensor('input'), given.int('dim'), given.tensor('index')),
  ],
  take_along_dim: [
    'input, indices, dim=None',
    (given) => {
      const [x, indices] = [given.tensor('input'), given.tensor('indices')];
      const dim = given.intOrNone('dim');
      return dim === null
        ? ops.gather(ops.flatten(x, 0, -1), 0, ops.flatten(indices, 0, -1))
        : ops.takeAlongDim(x, indices, dim);
    },
  ],
  take: [
    'input, index',
    (given) => ops.index(ops.flatten(given.tensor('input'), 0, -1), [0], [given.tensor('index')]),
  ],
  scatter,
  scatter_add: scatterAdd,
  index_put: indexPut,
  index_add: indexAdd,
  index_copy: indexCopy,
  index_fill: indexFill,
  select_scatter: [
    'input, src, dim, index',
    (given) => {
      const x = ops.clone(given.tensor('input'));
      ops.select(x, given.int('dim'), given.int('index')).become(given.tensor('src'));
      return x;
    },
  ],
  masked_select: refused('masked_select'),
  nonzero: refused('nonzero'),
  argwhere: refused('argwhere'),
  unique: refused('unique'),
};

export const methods: Methods = {
  scatter_: inPlace(scatter),
  scatter_add_: inPlace(scatterAdd),
  index_put_: inPlace(indexPut),
  index_add_: inPlace(indexAdd),
  index_copy_: inPlace(indexCopy),
  index_fill_: inPlace(indexFill),
  copy_: [
    'src, non_blocking=False',
    (self, given) => {
      const src = ops.to(given.tensor('src'), self.dtype);
      self.become(ops.expand(src, self.shape, 'copy_'));
      return self;
    },
  ],
};
