/** A state of a run that can be saved, and that training goes on from as if it had not stopped. */
import type { Dict } from '#lib/checkpoint/value.ts';
import type { Weights } from '#lib/runtime/model.ts';

/** `train_loss`, `val_loss`, `val_accuracy` and so on, by the names that files have them under. */
export type Metrics = Readonly<Record<string, number>>;

export interface Best {
  readonly epoch: number;
  /** `val_loss`. */
  readonly metric: string;
  readonly mode: 'min' | 'max';
  readonly value: number;
}

export interface Kept {
  /** Whole epochs behind it, those of the checkpoint included. */
  readonly epoch: number;
  /** Batches of the epoch in progress behind it; 0 between epochs. */
  readonly batch: number;
  /** Optimizer steps behind it, those of the run that it went on from included. */
  readonly step: number;
  /** As validated at this state; empty where a state was kept in the middle of an epoch. */
  readonly metrics: Metrics;
  readonly best: Best | null;
  /** Epochs since one that was better, for early stopping. */
  readonly stale: number;
  /** Sums of the epoch in progress, for its train_loss; empty between epochs. */
  readonly partial: Metrics;
  readonly weights: Weights;
  readonly ema: Weights | null;
  readonly optimizer: Dict;
  readonly scheduler: Dict | null;
  readonly scaler: Dict | null;
}
