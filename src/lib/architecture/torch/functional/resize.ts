/** Resampling of `torch.nn.functional`. */
import { PyList, PyTuple } from '../../python/collections.ts';
import { raised } from '../../python/errors.ts';
import { isNumeric, toFloat } from '../../python/numbers.ts';
import type { Given } from '../arguments.ts';
import type { Functions } from '../natives.ts';
import * as ops from '../ops/index.ts';
import type { PyTensor } from '../tensor.ts';

const modes = [
  'nearest',
  'nearest-exact',
  'linear',
  'bilinear',
  'bicubic',
  'trilinear',
  'area',
] as const;

/** `size` and `scale_factor`, one of them None, become a size and the factors to go by. */
function targetOf(
  given: Given,
  size: readonly number[],
  recompute: boolean,
): { size: number[]; scales: (number | null)[] } {
  const rank = size.length;
  const [wanted, factor] = [given.value('size'), given.value('scale_factor')];
  if ((wanted === null) === (factor === null)) {
    throw raised('ValueError', 'interpolate: one of size and scale_factor must be given');
  }
  if (factor === null) {
    return { size: given.sizes('size', rank), scales: new Array<null>(rank).fill(null) };
  }
  const items = factor instanceof PyTuple || factor instanceof PyList ? factor.items : [factor];
  const factors = items.map((item) => {
    if (isNumeric(item)) return toFloat(item);
    throw raised('TypeError', 'interpolate: scale_factor must be numbers');
  });
  if (factors.length !== 1 && factors.length !== rank) {
    throw raised(
      'ValueError',
      `interpolate: scale_factor has ${factors.length} entries, not ${rank}`,
    );
  }
  const all = size.map((_, axis) => factors[axis] ?? factors[0]!);
  return {
    size: size.map((length, axis) => Math.floor(length * all[axis]!)),
    scales: recompute ? all.map(() => null) : all,
  };
}

/** By the arguments that the function and nn.Upsample call the same. */
export function interpolate(
  given: Given,
  x: PyTensor,
  { recompute, antialias }: { recompute: boolean; antialias: boolean },
): PyTensor {
  const { size, scales } = targetOf(given, x.shape.slice(2), recompute);
  const alignCorners = given.value('align_corners') === null ? null : given.bool('align_corners');
  return ops.interpolate(x, size, scales, {
    mode: given.word('mode', modes),
    alignCorners,
    antialias,
  });
}

export const functional: Functions = {
  interpolate: [
    "input, size=None, scale_factor=None, mode='nearest', align_corners=None, recompute_scale_factor=None, antialias=False",
    (given) => {
      const recompute = given.value('recompute_scale_factor');
      return interpolate(given, given.tensor('input'), {
        recompute: recompute !== null && given.bool('recompute_scale_factor'),
        antialias: given.bool('antialias'),
      });
    },
  ],
  upsample: [
    "input, size=None, scale_factor=None, mode='nearest', align_corners=None",
    (given) => interpolate(given, given.tensor('input'), { recompute: false, antialias: false }),
  ],
};
