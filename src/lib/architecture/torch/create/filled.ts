/** Tensors of one number, of a size that is given or that of another tensor. */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import { hostTensor, unset } from '../emit.ts';
import { PyTensor, type TensorOwner } from '../tensor.ts';
import type { Creator, CreatorCall } from './creator.ts';
import { random, randomIntegers } from './random.ts';

function filled(
  owner: TensorOwner,
  name: string,
  shape: readonly number[],
  dtype: Dtype,
  value: number,
): PyTensor {
  const numbers = () => new Float64Array(numel(shape)).fill(value);
  const init = { kind: 'constant', value } as const;
  return hostTensor(owner, `torch.${name}`, shape, dtype, numbers, { init });
}

/** Memory that nobody has written to: it may be filled, its numbers may not be read. */
function empty(owner: TensorOwner, name: string, shape: readonly number[], dtype: Dtype): PyTensor {
  return unset(owner, `torch.${name}`, shape, dtype);
}

type Make = (owner: TensorOwner, name: string, shape: readonly number[], dtype: Dtype) => PyTensor;

const zeros: Make = (owner, name, shape, dtype) => filled(owner, name, shape, dtype, 0);
const ones: Make = (owner, name, shape, dtype) => filled(owner, name, shape, dtype, 1);

const sized = (make: Make): Creator => ({
  signature: '*sizes, size=None',
  make: (call) => make(call.owner, call.name, call.shape(), call.dtype ?? 'float32'),
});

const like = (make: Make): Creator => ({
  signature: 'input',
  make: (call) => {
    const { shape, dtype } = call.given.tensor('input');
    return make(call.owner, call.name, shape, call.dtype ?? dtype);
  },
});

/** The number of `fill_value`, and the dtype that it has by itself. */
function fillValue(call: CreatorCall): { value: number; dtype: Dtype } {
  const given = call.operand('fill_value');
  if (given instanceof PyTensor) return { value: given.item, dtype: given.dtype };
  const dtypes = { bool: 'bool', int: 'int64', float: 'float32' } as const;
  return { value: given.value, dtype: dtypes[given.kind] };
}

export const creators: Readonly<Record<string, Creator>> = {
  empty: sized(empty),
  empty_like: like(empty),
  full: {
    signature: 'size, fill_value',
    make(call) {
      const { value, dtype } = fillValue(call);
      const shape = call.shapeOf(call.given.value('size'));
      return filled(call.owner, call.name, shape, call.dtype ?? dtype, value);
    },
  },
  full_like: {
    signature: 'input, fill_value',
    make(call) {
      const { shape, dtype } = call.given.tensor('input');
      return filled(call.owner, call.name, shape, call.dtype ?? dtype, fillValue(call).value);
    },
  },
  ones: sized(ones),
  ones_like: like(ones),
  rand_like: like((owner, name, shape, dtype) => random(owner, name, shape, dtype, 'uniform')),
  randint_like: {
    signature: 'input, low, high=None',
    make(call) {
      const { shape, dtype } = call.given.tensor('input');
      const [low, high] = [call.given.int('low'), call.given.intOrNone('high')];
      const bounds = high === null ? ([0, low] as const) : ([low, high] as const);
      return randomIntegers(call.owner, call.name, bounds, shape, call.dtype ?? dtype);
    },
  },
  randn_like: like((owner, name, shape, dtype) => random(owner, name, shape, dtype, 'normal')),
  scalar_tensor: {
    signature: 's',
    make(call) {
      const value = call.given.float('s');
      return filled(call.owner, call.name, [], call.dtype ?? 'float32', value);
    },
  },
  zeros: sized(zeros),
  zeros_like: like(zeros),
};

/** Methods: `x.new_zeros(2, 3)` has x's dtype. */
const newSized = (make: Make): Creator => ({
  signature: 'self, *sizes, size=None',
  make: (call) =>
    make(call.owner, call.name, call.shape(), call.dtype ?? call.given.tensor('self').dtype),
});

export const newCreators: Readonly<Record<string, Creator>> = {
  new_empty: newSized(empty),
  new_full: {
    signature: 'self, size, fill_value',
    make(call) {
      const shape = call.shapeOf(call.given.value('size'));
      const dtype = call.dtype ?? call.given.tensor('self').dtype;
      return filled(call.owner, call.name, shape, dtype, fillValue(call).value);
    },
  },
  new_ones: newSized(ones),
  new_zeros: newSized(zeros),
};
