/**
 * What a run minimises: torch.nn.functional's losses of a batch, given as a sum over the examples
 * that count and what PyTorch's `mean` divides it by, so that a batch may carry padding and an
 * epoch's loss is exact. The arithmetic is that of the ops in `runtime/ops/loss`.
 */
import type { TargetSpec } from '#lib/inputs/data/dataset.ts';
import {
  binaryEntropy,
  binaryEntropyOfLogits,
} from '#lib/runtime/ops/loss/binary_cross_entropy.ts';
import {
  classesLast,
  indexLosses,
  probabilityLosses,
  type RowLosses,
} from '#lib/runtime/ops/loss/class_loss.ts';
import { distances, smoothDistances, squaredDistances } from '#lib/runtime/ops/loss/pair_loss.ts';
import * as tf from '#lib/runtime/tf.ts';
import type { LossSettings } from './settings.ts';

/** Device scalars: the loss is sum / weight, as reduction='mean' gives it. */
export interface LossSums {
  readonly sum: tf.Scalar;
  readonly weight: tf.Scalar;
}

export class Criterion {
  readonly settings: LossSettings;
  readonly target: TargetSpec;
  /** The weights of classes, or of positives: on the backend for as long as the criterion. */
  readonly #weight: tf.Tensor1D | null;

  /** Throws where the class weights are still to be computed: see `resolveLoss`. */
  constructor(settings: LossSettings, target: TargetSpec) {
    this.settings = settings;
    this.target = target;
    const weights = weightsOf(settings);
    if (weights === 'balanced') {
      throw new Error('loss: balanced class weights are not computed yet');
    }
    this.#weight = weights && tf.keep(tf.tensor1d([...weights]));
  }

  /** The index that a place's target has to be left out; null where there is none. */
  get ignoreIndex(): number | null {
    return 'ignoreIndex' in this.settings && this.target.kind !== 'numbers'
      ? this.settings.ignoreIndex
      : null;
  }

  /**
   * The loss of `output` (batch, …) for `targets` (batch, …target shape), int32 classes or float32
   * numbers, over the examples where `mask` (batch) is one; where it is zero they count nothing, and
   * get no gradient. The shapes are those that `checkLoss` takes.
   */
  sums(output: tf.Tensor, targets: tf.Tensor, mask: tf.Tensor1D): LossSums {
    const batch = mask.shape[0];
    const { losses, weights } = this.#elements(output, targets);
    const count = (elements: tf.Tensor) =>
      tf.sum(tf.mul(tf.sum(tf.reshape(elements, [batch, -1]), 1), mask)) as tf.Scalar;
    const each = losses.size / batch;
    return {
      sum: count(losses),
      weight: weights ? count(weights) : (tf.mul(tf.sum(mask), each) as tf.Scalar),
    };
  }

  /** The loss of each element or place, and its weight where these are not all one. */
  #elements(output: tf.Tensor, targets: tf.Tensor): { losses: tf.Tensor; weights?: tf.Tensor } {
    const { settings } = this;
    switch (settings.name) {
      case 'cross_entropy': {
        const logs = tf.logSoftmax(rowsOf(output, this.target), -1);
        const smoothing = settings.labelSmoothing;
        if (this.target.kind === 'numbers') {
          const options = { weight: this.#weight, smoothing };
          const { losses } = probabilityLosses(logs, classesLast(targets), options);
          return { losses };
        }
        return this.#ofIndices(logs, targets, smoothing);
      }
      case 'nll_loss':
        return this.#ofIndices(rowsOf(output, this.target), targets, 0);
      case 'mse_loss':
        return { losses: squaredDistances(output, targets) };
      case 'l1_loss':
        return { losses: distances(output, targets) };
      case 'smooth_l1_loss':
        return { losses: smoothDistances(output, targets, settings.beta) };
      case 'binary_cross_entropy':
        return { losses: binaryEntropy(output, targets) };
      case 'binary_cross_entropy_with_logits':
        return { losses: binaryEntropyOfLogits(output, targets, this.#weight) };
      default:
        throw new Error(`no loss ${(settings satisfies never as LossSettings).name}`);
    }
  }

  #ofIndices(logs: tf.Tensor, targets: tf.Tensor, smoothing: number): RowLosses {
    const ignoreIndex = this.ignoreIndex!;
    return indexLosses(logs, targets, { weight: this.#weight, ignoreIndex, smoothing });
  }

  dispose(): void {
    this.#weight?.dispose();
  }
}

function weightsOf(settings: LossSettings): readonly number[] | 'balanced' | null {
  if ('classWeights' in settings) return settings.classWeights;
  return settings.name === 'binary_cross_entropy_with_logits' ? settings.posWeight : null;
}

/**
 * Outputs of classes as (rows, classes), a row for each place: (N, C, …) as PyTorch has it, or for
 * tokens (N, T, V); (N·T, V) already is.
 */
export function rowsOf(output: tf.Tensor, target: TargetSpec): tf.Tensor2D {
  if (target.kind === 'tokens') return tf.reshape(output, [-1, output.shape.at(-1)!]);
  return classesLast(output);
}

/**
 * The settings with `balanced` class weights as numbers: N / (classes · count of the class), and 0
 * for a class without examples, whose weight nothing uses. `labels` are those of the training set.
 */
export function resolveLoss(
  settings: LossSettings,
  labels: Int32Array | null,
  classes: number,
): LossSettings {
  if (!('classWeights' in settings) || settings.classWeights !== 'balanced') return settings;
  if (!labels) throw new Error('loss: balanced class weights need one class for each example');
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]!++;
  const weight = (count: number) => (count === 0 ? 0 : labels.length / (classes * count));
  return { ...settings, classWeights: counts.map(weight) };
}
