/** Views, joins, and picking by index. */
import { PyList, PySlice, PyTuple } from '../python/collections.ts';
import { unsupported } from '../python/errors.ts';
import { getItem, setItem } from '../python/operators.ts';
import type { PyValue } from '../python/object.ts';
import { normalizeDim } from '../torch/shapes.ts';
import { PyTensor } from '../torch/tensor.ts';
import type { Given } from '../torch/arguments.ts';
import type { Adapter, Adapters, Aten } from './adapter.ts';

const whole = new PySlice(null, null, null);

/** `x[:, :, key]` with as many colons as there are axes before `dim`. */
function along(given: Given, aten: Aten, key: PyValue, what: string): PyValue {
  const self = given.tensor('self');
  const dim = normalizeDim(given.int('dim'), self.shape.length, what);
  const keys = [...new Array<PyValue>(dim).fill(whole), key];
  return getItem(aten.owner.session.interpreter, self, new PyTuple(keys));
}

/** A bound of a slice: schemas write "to the end" as the largest int64. */
function bound(value: PyValue): PyValue {
  const LAST = 2n ** 62n;
  return typeof value === 'bigint' && (value > LAST || value < -LAST) ? null : value;
}

/** Indices with None as whole axes: `index(x, [None, i])` is `x[:, i]`. */
function indexKey(given: Given): PyTuple {
  const value = given.value('indices');
  const items = value instanceof PyList || value instanceof PyTuple ? value.items : [];
  return new PyTuple(items.map((item) => item ?? whole));
}

const padded = (mode: 'reflect' | 'replicate' | 'circular'): Adapter => [
  'self, padding',
  (given, aten) => aten.python('F.pad', [given.value('self'), given.value('padding')], { mode }),
];

export const shape: Adapters = {
  view: ['self, size', '.view'],
  _unsafe_view: ['self, size', '.reshape'],
  reshape: ['self, shape', '.reshape'],
  _reshape_alias: [
    'self, size, stride',
    (given, aten) => aten.python('.reshape', [given.value('self'), given.value('size')]),
  ],
  view_as: ['self, other', '.view_as'],
  flatten: ['self, start_dim=0, end_dim=-1', 'torch.flatten'],
  unflatten: ['self, dim, sizes', '.unflatten'],
  permute: ['self, dims', '.permute'],
  transpose: ['self, dim0, dim1', '.transpose'],
  swapaxes: ['self, axis0, axis1', '.transpose'],
  movedim: ['self, source, destination', '.movedim'],
  t: ['self', '.t'],
  numpy_T: [
    'self',
    (given, aten) => {
      const dims = given
        .tensor('self')
        .shape.map((_, axis) => BigInt(axis))
        .toReversed();
      return aten.python('.permute', [given.value('self'), new PyList(dims)]);
    },
  ],
  squeeze: ['self, dim=None', '.squeeze'],
  unsqueeze: ['self, dim', '.unsqueeze'],
  expand: ['self, size, *, implicit=False', '.expand'],
  expand_as: ['self, other', '.expand_as'],
  repeat: ['self, repeats', '.repeat'],
  repeat_interleave: ['self, repeats, dim=None, *, output_size=None', '.repeat_interleave'],
  tile: ['self, dims', 'torch.tile'],
  cat: ['tensors, dim=0', 'torch.cat'],
  concat: ['tensors, dim=0', 'torch.cat'],
  stack: ['tensors, dim=0', 'torch.stack'],
  split: ['self, split_size, dim=0', '.split'],
  split_with_sizes: ['self, split_sizes, dim=0', '.split'],
  chunk: ['self, chunks, dim=0', '.chunk'],
  unbind: ['self, dim=0', '.unbind'],
  select: [
    'self, dim, index',
    (given, aten) => along(given, aten, BigInt(given.int('index')), 'select'),
  ],
  slice: [
    'self, dim=0, start=None, end=None, step=1',
    (given, aten) => {
      const key = new PySlice(
        bound(given.value('start')),
        bound(given.value('end')),
        given.value('step'),
      );
      return along(given, aten, key, 'slice');
    },
  ],
  narrow: ['self, dim, start, length', '.narrow'],
  index_select: ['self, dim, index', 'torch.index_select'],
  gather: ['self, dim, index, *, sparse_grad=False', 'torch.gather'],
  index: [
    'self, indices',
    (given, aten) => getItem(aten.owner.session.interpreter, given.tensor('self'), indexKey(given)),
  ],
  index_put: [
    'self, indices, values, accumulate=False',
    (given, aten) => {
      if (given.bool('accumulate')) throw unsupported('index_put with accumulate is not supported');
      const copy = aten.tensor('.clone', [given.tensor('self')]);
      setItem(aten.owner.session.interpreter, copy, indexKey(given), given.value('values'));
      return copy;
    },
  ],
  sym_size: [
    'self, dim',
    (given) => {
      const { shape } = given.tensor('self');
      return BigInt(shape[normalizeDim(given.int('dim'), shape.length, 'sym_size')]!);
    },
  ],
  roll: ['self, shifts, dims=None', 'torch.roll'],
  flip: ['self, dims', 'torch.flip'],
  tril: ['self, diagonal=0', 'torch.tril'],
  triu: ['self, diagonal=0', 'torch.triu'],
  diagonal: ['self, offset=0, dim1=0, dim2=1', 'torch.diagonal'],
  pixel_shuffle: ['self, upscale_factor', 'F.pixel_shuffle'],
  pixel_unshuffle: ['self, downscale_factor', 'F.pixel_unshuffle'],
  channel_shuffle: ['self, groups', 'F.channel_shuffle'],
  pad: ["self, pad, mode='constant', value=None", 'F.pad'],
  constant_pad_nd: [
    'self, pad, value=0',
    (given, aten) =>
      aten.python('F.pad', [
        given.value('self'),
        given.value('pad'),
        'constant',
        given.value('value'),
      ]),
  ],
  reflection_pad1d: padded('reflect'),
  reflection_pad2d: padded('reflect'),
  replication_pad1d: padded('replicate'),
  replication_pad2d: padded('replicate'),
  im2col: ['self, kernel_size, dilation, padding, stride', 'F.unfold'],
  col2im: ['self, output_size, kernel_size, dilation, padding, stride', 'F.fold'],
};

/** What torch.unbind and its like give, as TorchScript has it. */
export function asList(value: PyValue): PyValue {
  return value instanceof PyTuple && value.items.every((item) => item instanceof PyTensor)
    ? new PyList(value.items)
    : value;
}
