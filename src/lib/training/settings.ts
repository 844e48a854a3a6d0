/**
 * Everything that decides a training run, as plain JSON: what the page's form makes, run.json and
 * the checkpoints keep, and the exported train.py is written from. Names and values are PyTorch's.
 */
import type { Augmentation } from '#lib/inputs/data/dataset.ts';
import type { SchedulerSettings } from '#lib/optim/schedulers/settings.ts';
import type { OptimizerSettings, ScalerSettings } from '#lib/optim/settings.ts';

export type { OptimizerSettings, OptionValue, ScalerSettings } from '#lib/optim/settings.ts';

export type LossSettings =
  | {
      readonly name: 'cross_entropy';
      readonly labelSmoothing: number;
      readonly ignoreIndex: number;
      /** A weight for each class; `balanced` takes N / (classes · count of the class). */
      readonly classWeights: readonly number[] | 'balanced' | null;
    }
  | {
      readonly name: 'nll_loss';
      readonly ignoreIndex: number;
      readonly classWeights: readonly number[] | 'balanced' | null;
    }
  | { readonly name: 'mse_loss' | 'l1_loss' }
  | { readonly name: 'smooth_l1_loss'; readonly beta: number }
  | {
      readonly name: 'binary_cross_entropy' | 'binary_cross_entropy_with_logits';
      /** Of positives, one for each output; only with logits. */
      readonly posWeight: readonly number[] | null;
    };
export type LossName = LossSettings['name'];

/** Names that metrics have in metrics.csv and in checkpoints, behind `train_` or `val_`. */
export type MetricName = 'loss' | 'accuracy' | 'top5_accuracy' | 'f1' | 'r2' | 'perplexity';

export interface RunSettings {
  /** Begins the names of files that are kept. */
  readonly name: string;
  /** Epochs of this run; they are counted on from the checkpoint's. */
  readonly epochs: number;
  readonly batchSize: number;
  /** Batches whose gradients one optimizer step takes, each loss divided by their number. */
  readonly accumulate: number;
  /** Of the split, the order, dropout, augmentation and new parameters. */
  readonly seed: number;
  /** `checkpoint`: what the file holds (or the run before), with its rates changed to `options`. */
  readonly optimizer:
    | OptimizerSettings
    | { readonly name: 'checkpoint'; readonly options: OptimizerSettings['options'] };
  readonly scheduler:
    | { readonly name: 'checkpoint'; readonly interval: 'step' | 'epoch' }
    | (SchedulerSettings & { readonly interval: 'step' | 'epoch' })
    | null;
  readonly scaler: ScalerSettings | 'checkpoint' | null;
  readonly clip:
    | { readonly kind: 'norm'; readonly maxNorm: number; readonly normType: number }
    | { readonly kind: 'value'; readonly clipValue: number }
    | null;
  /** Exponential moving average of the weights: ema = decay · ema + (1 − decay) · weights. */
  readonly ema: { readonly decay: number } | null;
  readonly loss: LossSettings;
  readonly monitor: { readonly metric: MetricName; readonly mode: 'min' | 'max' };
  /** Ends the run after so many epochs without a monitored value better by more than minDelta. */
  readonly earlyStopping: { readonly patience: number; readonly minDelta: number } | null;
  readonly data: {
    /** Share of the training examples used for validation; 0 takes the data's own. */
    readonly validationShare: number;
    /** The same share of every class. */
    readonly stratified: boolean;
    readonly augmentation: Augmentation | null;
  };
  readonly keep: {
    /** A file of its own every so many epochs; 0 for none. */
    readonly every: number;
    /** How many of these stay; 0 for all. */
    readonly newest: number;
    /** Steps between saves of `last` within an epoch; 0 for none. */
    readonly steps: number;
  };
}
