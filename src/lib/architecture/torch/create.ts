/** `torch.zeros`, `torch.arange` and their like: numbers of the source, or drawn in each pass. */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import { raised, unsupported } from '../python/errors.ts';
import { NativeFunction } from '../python/functions.ts';
import { PyTuple } from '../python/collections.ts';
import { isNumeric } from '../python/numbers.ts';
import type { PyValue } from '../python/object.ts';
import { Given } from './arguments.ts';
import { PyDtype } from './dtypes.ts';
import { hostTensor } from './emit.ts';
import { checkRank } from './shapes.ts';
import { PyTensor, shapeText, type TensorOwner } from './tensor.ts';

/** Arguments that every creator takes. */
const options =
  'dtype=None, device=None, requires_grad=False, generator=None, out=None, layout=None';

/** `torch.zeros(2, 3)`, `torch.zeros((2, 3))`. */
export function creators(owner: TensorOwner): Map<string, PyValue> {
  const sized = (name: string, make: (shape: number[], dtype: Dtype) => PyTensor): PyValue =>
    new NativeFunction(`torch.${name}`, `*size, ${options}`, (interpreter, { values, rest }) => {
      const given = new Given(name, values);
      if (given.value('out') !== null) {
        throw unsupported(`torch.${name} with out is not supported`);
      }
      const sizes = rest.length === 1 && !isNumeric(rest[0]!) ? rest[0]! : new PyTuple(rest);
      const shape = new Given(name, new Map([['size', sizes]])).ints('size');
      checkShape(name, shape);
      interpreter.allocate(shape.length);
      const tensor = make(shape, dtypeOf(given.value('dtype')));
      tensor.requiresGrad = given.bool('requires_grad');
      return tensor;
    });
  const filled = (name: string, value: number) =>
    sized(name, (shape, dtype) =>
      hostTensor(owner, `torch.${name}`, shape, dtype, () =>
        new Float64Array(numel(shape)).fill(value),
      ),
    );
  const drawn = (name: string, distribution: 'normal' | 'uniform') =>
    sized(name, (shape, dtype) => random(owner, name, shape, dtype, distribution));
  const empty = sized(
    'empty',
    (shape, dtype) => new PyTensor(owner, shape, dtype, { madeBy: 'torch.empty' }),
  );
  return new Map([
    ['zeros', filled('zeros', 0)],
    ['ones', filled('ones', 1)],
    ['empty', empty],
    ['rand', drawn('rand', 'uniform')],
    ['randn', drawn('randn', 'normal')],
  ]);
}

/** A node that draws numbers in every pass; while the model is built, a shape. */
export function random(
  owner: TensorOwner,
  name: string,
  shape: readonly number[],
  dtype: Dtype,
  distribution: 'normal' | 'uniform',
  [low, high]: readonly [number, number] = [0, 1],
): PyTensor {
  const { tracer } = owner.session;
  const madeBy = `torch.${name}`;
  if (!tracer) return new PyTensor(owner, shape, dtype, { madeBy });
  if (dtype !== 'float32') throw unsupported(`${madeBy} of ${dtype} in forward is not supported`);
  const node = tracer.add('random', [], { distribution, low, high }, shape, dtype);
  return new PyTensor(owner, shape, dtype, { traced: { tracer, node } });
}

export function checkShape(name: string, shape: readonly number[]): void {
  checkRank(shape.length, name);
  if (shape.some((length) => length < 0) || !Number.isSafeInteger(numel(shape))) {
    throw raised('RuntimeError', `${name}: the shape ${shapeText(shape)} is not possible`);
  }
}

export function dtypeOf(value: PyValue): Dtype {
  if (value === null) return 'float32';
  if (value instanceof PyDtype) return value.dtype;
  throw raised('TypeError', 'dtype must be a torch.dtype');
}
