/** Numbers that are drawn in every pass, from the run's seed: never those that PyTorch would draw. */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { raised, unsupported } from '../../python/errors.ts';
import * as ops from '../ops/index.ts';
import { PyTensor, shapeText, type TensorOwner } from '../tensor.ts';
import type { Creator } from './creator.ts';

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

const sized = (distribution: 'normal' | 'uniform'): Creator => ({
  signature: '*sizes, size=None',
  make: (call) =>
    random(call.owner, call.name, call.shape(), call.dtype ?? 'float32', distribution),
});

/** Whole numbers from low to high − 1. */
export function randomIntegers(
  owner: TensorOwner,
  name: string,
  [low, high]: readonly [number, number],
  shape: readonly number[],
  dtype: Dtype,
): PyTensor {
  if (!(low < high)) throw raised('RuntimeError', `${name}: ${low} is not below ${high}`);
  const drawn = random(owner, name, shape, 'float32', 'uniform', [low, high]);
  const floor = ops.dtypeKeeper('floor', drawn);
  // Rounding can bring the largest draws up to `high` itself.
  return ops.to(ops.clamp(floor, null, ops.number(high - 1)), dtype);
}

/** `randint(high, size)`, `randint(low, high, size)`. */
const randint: Creator = {
  signature: '*args, low=0, high=None, size=None',
  make(call) {
    const [shape, bounds] =
      call.given.value('size') === null
        ? [call.shapeOf(call.rest.at(-1) ?? null), call.rest.slice(0, -1)]
        : [call.shapeOf(call.given.value('size')), call.rest];
    const numbers = bounds.map((value) => call.integer(value));
    const given = call.given.intOrNone('high');
    const [low, high] =
      numbers.length === 2
        ? [numbers[0]!, numbers[1]!]
        : given === null
          ? [call.given.int('low'), numbers[0]]
          : [numbers[0] ?? call.given.int('low'), given];
    if (high === undefined) throw raised('TypeError', 'randint: high is missing');
    return randomIntegers(call.owner, call.name, [low, high], shape, call.dtype ?? 'int64');
  },
};

/** `normal(mean, std)` of tensors, or `normal(0, 1, size=(2, 3))`. */
const normal: Creator = {
  signature: 'mean, std=1.0, size=None',
  make(call) {
    const [mean, std] = [call.operand('mean'), call.operand('std')];
    const tensor = [mean, std].find((item) => item instanceof PyTensor);
    const size = call.given.value('size');
    if (!tensor && size === null) throw raised('TypeError', 'normal: size is missing');
    const shape = tensor instanceof PyTensor ? tensor.shape : call.shapeOf(size);
    const drawn = random(call.owner, call.name, shape, 'float32', 'normal');
    const result = ops.add(ops.mul(drawn, std), mean);
    if (result.shape.join() === shape.join()) return result;
    throw unsupported(`normal: a mean and a std of different shapes (${shapeText(shape)})`);
  },
};

export const creators: Readonly<Record<string, Creator>> = {
  normal,
  rand: sized('uniform'),
  randint,
  randn: sized('normal'),
};
