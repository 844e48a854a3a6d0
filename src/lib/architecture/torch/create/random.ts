/**
 * Random numbers. What forward asks for is drawn in every pass, from the run's seed: never what PyTorch
 * would draw. What the build asks for becomes first values, and those are PyTorch's own.
 */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { raised, unsupported } from '../../python/errors.ts';
import { drawnTensor } from '../drawn.ts';
import * as ops from '../ops/index.ts';
import { PyTensor, shapeText, type TensorOwner } from '../tensor.ts';
import type { Creator } from './creator.ts';

const standardNormal = { kind: 'normal', mean: 0, std: 1, isInOrder: true } as const;

/** A node that draws numbers in every pass; while the model is built, first values. */
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
  if (!tracer) {
    const drawn = distribution === 'normal' ? standardNormal : { kind: distribution, low, high };
    return drawnTensor(owner, madeBy, shape, dtype, drawn);
  }
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
  if (!owner.session.tracer) {
    if (high - low >= 2 ** 32) throw unsupported(`${name} of more than 32 bits is not supported`);
    return drawnTensor(owner, `torch.${name}`, shape, dtype, { kind: 'integers', low, high });
  }
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
    if (!call.owner.session.tracer && !(mean instanceof PyTensor || std instanceof PyTensor)) {
      const own = { ...standardNormal, mean: mean.value, std: std.value };
      return drawnTensor(call.owner, call.name, shape, call.dtype ?? 'float32', own);
    }
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
  randperm: {
    signature: 'n',
    make({ owner, name, given, dtype }) {
      const [shape, result] = [[given.size('n')], dtype ?? 'int64'] as const;
      if (!owner.session.tracer) {
        return drawnTensor(owner, name, shape, result, { kind: 'permutation' });
      }
      const drawn = random(owner, name, shape, 'float32', 'uniform');
      return ops.to(ops.sort(drawn, 0, false, false)[1]!, result);
    },
  },
};
