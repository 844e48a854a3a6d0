/** Tensors that the code makes itself: `zeros`, `arange`, and those shaped like another. */
import { dtypeValue } from '../torch/dtypes.ts';
import { unsupported } from '../python/errors.ts';
import { hostTensor } from '../torch/emit.ts';
import type { Given } from '../torch/arguments.ts';
import type { PyValue } from '../python/object.ts';
import type { Adapter, Adapters } from './adapter.ts';

const options = 'dtype=None, layout=None, device=None, pin_memory=None';
const like = `${options}, memory_format=None`;

/** `new_zeros` and its like take the dtype of the tensor that they are called on. */
const fresh = (name: string, more = ''): Adapter => [
  `self, size, ${more}*, ${options}`,
  (given, aten) => {
    const dtype = given.value('dtype') ?? dtypeOf(given);
    const args = [given.value('size'), ...(more ? [given.value('fill_value')] : [])];
    return aten.python(`torch.${name}`, args, { dtype });
  },
];

function dtypeOf(given: Given): PyValue {
  return dtypeValue(given.tensor('self').dtype);
}

export const create: Adapters = {
  zeros: [`size, *, ${options}`, 'torch.zeros'],
  ones: [`size, *, ${options}`, 'torch.ones'],
  full: [`size, fill_value, *, ${options}`, 'torch.full'],
  zeros_like: [`self, *, ${like}`, 'torch.zeros_like'],
  ones_like: [`self, *, ${like}`, 'torch.ones_like'],
  full_like: [`self, fill_value, *, ${like}`, 'torch.full_like'],
  new_zeros: fresh('zeros'),
  new_ones: fresh('ones'),
  new_full: fresh('full', 'fill_value, '),
  // How scripted code writes `with torch.no_grad()`, which changes nothing but gradients.
  set_grad_enabled: [
    'val',
    (given, { owner }) => {
      if (given.bool('val') || !owner.session.tracer?.training) return null;
      throw unsupported('torch.no_grad in forward is not supported in training');
    },
  ],
  // What the exporter found out about sizes; the graph's shapes are checked anyway.
  _assert_scalar: ['self, assert_msg', () => null],
  _assert_tensor_metadata: [
    'a, size=None, stride=None, dtype=None, *, device=None, layout=None',
    () => null,
  ],
  sym_constrain_range_for_size: ['size, *, min=None, max=None', () => null],
  eye: [`n, m=None, *, ${options}`, 'torch.eye'],
  linspace: [`start, end, steps, *, ${options}`, 'torch.linspace'],
  arange: [
    `start=None, end=None, step=1, *, ${options}`,
    (given, aten) => {
      const dtype = given.value('dtype');
      const only = given.value('start') ?? given.value('end');
      const both = given.value('start') !== null && given.value('end') !== null;
      const args = both ? [given.value('start'), given.value('end'), given.value('step')] : [only];
      return aten.python('torch.arange', args, dtype === null ? {} : { dtype });
    },
  ],
  tensor: [
    `data, *, ${options}, requires_grad=False`,
    (given, aten) => {
      const dtype = given.value('dtype');
      return aten.python('torch.tensor', [given.value('data')], dtype === null ? {} : { dtype });
    },
  ],
  scalar_tensor: [
    `s, *, ${options}`,
    (given, { owner }) => {
      const value = given.float('s');
      const dtype = given.dtypeOrNone('dtype') ?? 'float32';
      return hostTensor(owner, 'scalar_tensor', [], dtype, () => Float64Array.of(value));
    },
  ],
};
