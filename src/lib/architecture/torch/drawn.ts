/** Tensors of the build whose numbers are drawn once the run has a seed. */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { numel } from '#lib/checkpoint/tensor.ts';
import type { Init } from '../graph.ts';
import type { Distribution } from './draws.ts';
import { hostTensor } from './emit.ts';
import { HostValue } from './host.ts';
import { PyTensor, type TensorOwner } from './tensor.ts';

/** Notes the draw, and gives a tensor of its numbers. */
export function drawnTensor(
  owner: TensorOwner,
  madeBy: string,
  shape: readonly number[],
  dtype: Dtype,
  distribution: Distribution,
): PyTensor {
  const { session } = owner;
  const draw = session.draws.note(numel(shape), distribution);
  if (dtype === 'float32' || /integers|permutation/.test(distribution.kind)) {
    const init = initOf(distribution);
    return hostTensor(owner, madeBy, shape, dtype, () => session.draws.of(draw), { draw, init });
  }
  return unknownTensor(owner, madeBy, shape, dtype, `${madeBy} of ${dtype} is not worked out`);
}

/** A tensor whose numbers are refused with a reason when somebody asks for them. */
export function unknownTensor(
  owner: TensorOwner,
  madeBy: string,
  shape: readonly number[],
  dtype: Dtype,
  what: string,
): PyTensor {
  const value = HostValue.refused(owner.session.interpreter, shape, dtype, what);
  return new PyTensor(owner, shape, dtype, { value, madeBy });
}

function initOf(distribution: Distribution): Init {
  switch (distribution.kind) {
    case 'uniform':
      return distribution;
    case 'normal': {
      const { kind, mean, std } = distribution;
      return { kind, mean, std };
    }
    case 'trunc_normal': {
      const { kind, mean, std, low, high } = distribution;
      return { kind, mean, std, low, high };
    }
    case 'integers':
    case 'permutation':
      return { kind: 'computed' };
    default:
      return distribution satisfies never;
  }
}
