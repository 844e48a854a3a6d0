/** Data and training runs: what the Train page and the worker say to each other. Types only. */
import type { OptimizerName } from '#lib/checkpoint/optimizer.ts';
import type { Finding, Result } from '#lib/checkpoint/finding.ts';
import type { ArraySpec, Augmentation, TargetSpec } from '#lib/inputs/data/dataset.ts';
import type { DataFacts, DataWish } from '#lib/inputs/data/choices.ts';
import type { SchedulerSettings } from '#lib/optim/schedulers/settings.ts';
import type { Best, Metrics } from '#lib/training/kept.ts';
import type { LossName, LossSettings, MetricName, RunSettings } from '#lib/training/settings.ts';

export type { ArraySpec, Augmentation, DataFacts, DataWish, TargetSpec };
export type { Best, LossName, LossSettings, MetricName, Metrics, RunSettings };
export type { OptimizerName, SchedulerSettings };

export interface TrainCalls {
  /**
   * Opens a data set, or the open one in another way: `files` are left out then. On failure, the one
   * before stays.
   */
  data: {
    args: { files?: { path: string; file: File }[]; wish: DataWish };
    result: Result<{ data: DataFacts }>;
    progress: { bytes: number; total: number };
  };
  /** One example of the open data: its picture or values, and its label. */
  example: { args: { split: Split; index: number }; result: Result<{ example: Example }> };
  /** Examples as the model would see them in training, augmented where that is given. */
  preview: {
    args: { count: number; seed: number; augmentation: Augmentation | null };
    result: Result<{ examples: Example[] }>;
  };

  /** Settings that suit the model, its checkpoint and the data; and what else fits. */
  proposeRun: { args: object; result: Result<{ proposal: RunProposal }> };
  /** The learning rate over the run that the settings describe, before it is trained. */
  rates: { args: { settings: RunSettings }; result: Result<{ rates: RateCurve }> };

  /** Trains until done, stopped or aborted; one run at a time. */
  train: {
    args: {
      settings: RunSettings;
      /**
       * `checkpoint` starts from the file (and drops what a run before has made), `last` goes on
       * from where that run ended. Where the file is the state of a run, it goes on exactly.
       */
      from: 'checkpoint' | 'last';
      /** A folder that was picked for the run's files; without it they go to the private disk. */
      folder?: FileSystemDirectoryHandle;
      /** The kept run to go on with, by its id, and the epoch that it was to end with. */
      run?: { id: string; end: number };
    };
    result: Result<{ summary: TrainSummary }>;
    progress: TrainProgress;
  };
  pause: { args: object; result: null };
  resume: { args: object; result: null };
  /** Ends the run after the step in progress; best and last are kept. */
  stop: { args: object; result: null };
}

export type Split = 'train' | 'test';

export interface Example {
  /** The class, the numbers, the next token: for people; null where there is none. */
  label: string | null;
  dtype: ArraySpec['dtype'];
  shape: number[];
  /** The model's input, row-major. */
  values: Float32Array | Int32Array;
  /** Of token ids, the text. */
  text?: string;
}

/** What the page's form starts with. */
export interface RunProposal {
  settings: RunSettings;
  /** Losses that fit the targets and the model's output, the likeliest first. */
  losses: LossName[];
  /** Of the loss that is proposed. */
  metrics: MetricName[];
  /** The optimizer state of the checkpoint, or of the run before, where it fits the model. */
  optimizer: { name: OptimizerName; states: number; groups: number } | null;
  /** Why it does not fit, where there is one. */
  optimizerNote: string | null;
  /** The schedule of the checkpoint: `CosineAnnealingLR at step 400`. */
  scheduler: string | null;
  scaler: boolean;
  /** Optimizer steps of one epoch with these settings. */
  stepsPerEpoch: number;
  /** The state of a run that the open file is, which goes on exactly. */
  resumes: { epoch: number; batch: number; best: Best | null } | null;
}

/** One line for each param_group: `rates[group][at]` is the rate at step `steps[at]`. */
export interface RateCurve {
  steps: number[];
  rates: number[][];
}

export interface TrainProgress {
  state: 'starting' | 'running' | 'paused' | 'validating' | 'saving' | 'recovering';
  /** Counted on from the checkpoint's epoch. */
  epoch: number;
  epochs: number;
  /** Batches of this run so far, and all of them. */
  batch: number;
  batches: number;
  /** Optimizer steps, those that the checkpoint has behind it included. */
  step: number;
  /** New points since the last report. */
  train: { step: number; loss: number; lr: number }[];
  validation: { step: number; epoch: number; metrics: Metrics }[];
  /** Rows are targets, columns what was predicted; of the last validation, where it is small. */
  confusion: number[][] | null;
  examplesPerSecond: number;
  secondsLeft: number | null;
  best: Best | null;
  /** What was written last, or why it could not be written: the run goes on in memory. */
  kept: { files: string[]; problem: Finding | null } | null;
}

export interface TrainSummary {
  stopped: boolean;
  /** Ended by early stopping. */
  stalled: boolean;
  epochs: number;
  steps: number;
  seconds: number;
  best: Best | null;
  last: { epoch: number; metrics: Metrics } | null;
  /** Where the run's files are: the folder's name; null where nothing could be written. */
  folder: string | null;
}
