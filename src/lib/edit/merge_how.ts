/** The arithmetic of merges, tensor by tensor. */
import { FindingError } from '#lib/checkpoint/finding.ts';
import { numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { PIECE } from '#lib/file/read_ahead.ts';
import { numbersOf, type Combination, type Floats } from './combine.ts';
import type { MergeHow } from './edits.ts';

export type Arithmetic = Exclude<MergeHow, { kind: 'disjoint' }>;

/**
 * A combination of the tensors called `name`; what it has to know of them as wholes is read when it is
 * used. Throws a FindingError then where numbers that are none leave no angle.
 */
export function combination(
  how: Arithmetic,
  name: string,
  tensors: readonly Tensor[],
): Combination {
  switch (how.kind) {
    case 'weighted':
      return (numbers) => weighted(numbers, how.weights);
    case 'ema':
      return (numbers) => ema(numbers, how.decay);
    case 'task':
      return (numbers) => task(numbers, how.scales);
    case 'slerp': {
      let shares: Promise<readonly [number, number]> | undefined;
      return async (numbers, _, signal) => {
        shares ??= slerpShares(name, tensors as [Tensor, Tensor], how.t, signal);
        shares.catch(() => (shares = undefined)); // asked for anew after a break
        weighted(numbers, await shares);
      };
    }
    default:
      return how satisfies never;
  }
}

/** w₀ x₀ + w₁ x₁ + …, from the left. */
function weighted(
  [sum, ...others]: readonly [Floats, ...Floats[]],
  weights: readonly number[],
): void {
  const round = rounderOf(sum);
  const first = round(weights[0]!);
  for (let at = 0; at < sum.length; at++) sum[at]! *= first;
  others.forEach((other, index) => {
    const weight = round(weights[index + 1]!);
    for (let at = 0; at < sum.length; at++) sum[at] = sum[at]! + round(weight * other[at]!);
  });
}

/** decay · average + (1 − decay) · next, one after another. */
function ema([average, ...others]: readonly [Floats, ...Floats[]], decay: number): void {
  for (const next of others) weighted([average, next], [decay, 1 - decay]);
}

/**
 * x + Σ scale · (other − base), the base last: "Editing Models with Task Arithmetic", Ilharco et al.,
 * arXiv 2212.04089.
 */
function task([sum, ...others]: readonly [Floats, ...Floats[]], scales: readonly number[]): void {
  const round = rounderOf(sum);
  const base = others.at(-1)!;
  scales.forEach((given, index) => {
    const [scale, other] = [round(given), others[index]!];
    for (let at = 0; at < sum.length; at++) {
      sum[at] = sum[at]! + round(scale * round(other[at]! - base[at]!));
    }
  });
}

const rounderOf = (numbers: Floats): ((value: number) => number) =>
  numbers instanceof Float32Array ? Math.fround : (value) => value;

/** From this cosine on, two directions count as one (or as opposite). */
const PARALLEL = 0.9995;
/** A shorter tensor has no direction. */
const EPSILON = 1e-8;

/**
 * What each of two tensors counts for at `t` on the way along the great circle between their
 * directions, with θ the angle: sin((1 − t) θ) / sin θ and sin(t θ) / sin θ of the tensors as they are;
 * 1 − t and t where they are nearly parallel. K. Shoemake, "Animating rotation with quaternion
 * curves", with the threshold and the lengths as mergekit takes them. Sums are taken in doubles.
 */
async function slerpShares(
  name: string,
  tensors: readonly [Tensor, Tensor],
  t: number,
  signal?: AbortSignal,
): Promise<readonly [number, number]> {
  let [dot, squareA, squareB] = [0, 0, 0];
  const count = numel(tensors[0].shape);
  const step = Math.floor(PIECE / Math.max(...tensors.map(({ dtype }) => itemsize(dtype))));
  for (let at = 0; at < count; at += step) {
    signal?.throwIfAborted();
    const until = Math.min(count, at + step);
    const [a, b] = await Promise.all(
      tensors.map((it) => numbersOf(it, at, until, 'float64', signal)),
    );
    for (let index = 0; index < a!.length; index++) {
      const [one, other] = [a![index]!, b![index]!];
      dot += one * other;
      squareA += one * one;
      squareB += other * other;
    }
  }
  if (!Number.isFinite(dot + squareA + squareB)) {
    throw new FindingError({
      code: 'merge-angle',
      message: `merge: "${name}" holds NaN, infinite or huge numbers, between which there is no angle`,
      advice: 'Look at its statistics, drop it, or take the weighted sum.',
    });
  }
  const length = (square: number) => (Math.sqrt(square) > EPSILON ? Math.sqrt(square) : 1);
  const cosine = dot / (length(squareA) * length(squareB));
  if (Math.abs(cosine) > PARALLEL) return [1 - t, t];
  const angle = Math.acos(cosine);
  return [Math.sin(angle - t * angle) / Math.sin(angle), Math.sin(t * angle) / Math.sin(angle)];
}
