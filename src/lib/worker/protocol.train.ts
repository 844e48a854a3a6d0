/** Data and training runs. Types only. */
import type { OptimizerName } from '#lib/checkpoint/optimizer.ts';
import type { Result } from '#lib/checkpoint/finding.ts';

export type { OptimizerName };

export interface TrainCalls {
  /** Opens a data set (npz). On failure, the one before stays. */
  data: { args: { file: File }; result: Result<{ data: OpenedData }> };
  /** One example of the open data: its picture or values, and its label. */
  example: { args: { split: Split; index: number }; result: Result<{ example: Example }> };
  /** Trains until done, stopped or aborted; progress is TrainProgress. */
  train: {
    args: TrainSettings;
    result: Result<{ summary: TrainSummary }>;
    progress: TrainProgress;
  };
  pause: { args: object; result: null };
  resume: { args: object; result: null };
  /** Ends the run after the step in progress; best and last are kept. */
  stop: { args: object; result: null };
}

export type Split = 'train' | 'test';

export interface OpenedData {
  name: string;
  arrays: { name: string; dtype: string; shape: number[] }[];
  train: number;
  /** Held-out examples that the file brings; 0 where validation must be split off. */
  test: number;
  exampleShape: number[];
  /** How stored numbers become inputs: `uint8 / 255` or `as stored`. */
  scaling: string;
  classes: number | null;
}

export interface Example {
  label: string | null;
  shape: number[];
  /** The model's input, row-major. */
  values: Float32Array;
}

export interface TrainSettings {
  /**
   * `checkpoint` starts from the file's weights and drops what a run before has made; `last` goes
   * on from where that run ended, with its optimizer.
   */
  from: 'checkpoint' | 'last';
  epochs: number;
  batchSize: number;
  learningRate: number;
  weightDecay: number;
  seed: number;
  /** `checkpoint` goes on with the state in the file (or of the run before); a name starts afresh. */
  optimizer: 'checkpoint' | OptimizerName;
  loss: 'cross_entropy' | 'nll_loss';
  /** Share of the training examples used for validation; 0 uses the data's own test split. */
  validationShare: number;
}

export interface TrainProgress {
  state: 'starting' | 'running' | 'paused' | 'validating';
  /** Counted on from the checkpoint's epoch. */
  epoch: number;
  epochs: number;
  step: number;
  steps: number;
  /** New points since the last report; x is the step within this run. */
  train: { step: number; loss: number; accuracy: number }[];
  validation: { step: number; epoch: number; loss: number; accuracy: number }[];
  examplesPerSecond: number;
  secondsLeft: number | null;
  best: { epoch: number; loss: number; accuracy: number } | null;
}

export interface TrainSummary {
  stopped: boolean;
  epochs: number;
  steps: number;
  seconds: number;
  best: { epoch: number; loss: number; accuracy: number } | null;
  last: { epoch: number; loss: number; accuracy: number } | null;
}
