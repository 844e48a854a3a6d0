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

/** The key of `x[:, :, key]`, with as many colons as there are axes before `dim`. */
function along(given: Given, key: PyValue, what: string): PyTuple {
  const dim = normalizeDim(given.int('dim'), given.tensor('self').shape.length, what);
  return new PyTuple([...new Array<PyValue>(dim).fill(whole), key]);
}

function picked(given: Given, aten: Aten, key: PyTuple): PyValue {
  return getItem(aten.owner.session.interpreter, given.tensor('self'), key);
}

/** A copy in which what lies at the key is another. */
function replaced(given: Given, aten: Aten, key: PyTuple, value: PyValue): PyValue {
  const copy = aten.tensor('.clone', [given.tensor('self')]);
  setItem(aten.owner.session.interpreter, copy, key, value);
  return copy;
}

const sliceKey = (given: Given) =>
  new PySlice(bound(given.value('start')), bound(given.value('end')), given.value('step'));

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
  unsafe_chunk: ['self, chunks, dim=0', '.chunk'],
  unsafe_split: ['self, split_size, dim=0', '.split'],
  unbind: ['self, dim=0', '.unbind'],
  select: [
    'self, dim, index',
    (given, aten) => picked(given, aten, along(given, BigInt(given.int('index')), 'select')),
  ],
  select_scatter: [
    'self, src, dim, index',
    (given, aten) => {
      const key = along(given, BigInt(given.int('index')), 'select_scatter');
      return replaced(given, aten, key, given.tensor('src'));
    },
  ],
  slice: [
    'self, dim=0, start=None, end=None, step=1',
    (given, aten) => picked(given, aten, along(given, sliceKey(given), 'slice')),
  ],
  slice_scatter: [
    'self, src, dim=0, start=None, end=None, step=1',
    (given, aten) => {
      const key = along(given, sliceKey(given), 'slice_scatter');
      return replaced(given, aten, key, given.tensor('src'));
    },
  ],
  narrow: ['self, dim, start, length', '.narrow'],
  diff: [
    'self, n=1, dim=-1, prepend=None, append=None',
    (given, aten) => {
      if (given.int('n') !== 1) throw unsupported('diff of a higher order is not supported');
      const parts = ['prepend', 'self', 'append'].map((name) => given.value(name));
      const all = new PyList(parts.filter((part) => part !== null));
      const joined = given.with('self', aten.tensor('torch.cat', [all, given.value('dim')]));
      const [later, earlier] = [new PySlice(1n, null, null), new PySlice(null, -1n, null)].map(
        (part) => picked(joined, aten, along(joined, part, 'diff')),
      );
      const isBool = joined.tensor('self').dtype === 'bool';
      return aten.python(isBool ? 'torch.logical_xor' : 'torch.sub', [later!, earlier!]);
    },
  ],
  index_select: ['self, dim, index', 'torch.index_select'],
  gather: ['self, dim, index, *, sparse_grad=False', 'torch.gather'],
  index: ['self, indices', (given, aten) => picked(given, aten, indexKey(given))],
  index_put: [
    'self, indices, values, accumulate=False',
    (given, aten) => {
      if (given.bool('accumulate')) throw unsupported('index_put with accumulate is not supported');
      return replaced(given, aten, indexKey(given), given.value('values'));
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
