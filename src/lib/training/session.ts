/**
 * A training run: epochs over shuffled batches, validation after each, the best and the last state
 * kept. It knows no disks and no pages: it is handed what reads the state (`snapshot`) and what keeps
 * it (`keep`), and tells `report` what happened.
 *
 * Everything that is drawn comes from the seed and a place: the order from the epoch, augmentation
 * from epoch and example, dropout from the step. So a run that goes on from a kept state, even in
 * the middle of an epoch, gives the numbers of one that was never stopped.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Examples } from '#lib/inputs/data/dataset.ts';
import { permutation } from '#lib/inputs/random.ts';
import { isBetter } from './best.ts';
import type { Best, Kept, Metrics } from './kept.ts';
import { addSums, confusionOf, metricOf, type Sums } from './metrics.ts';
import { readAhead } from './read_ahead.ts';
import type { MetricName, RunSettings } from './settings.ts';
import { discard, settle, type Pending, type Settled, type Trainer } from './trainer.ts';

/** What torch.optim.lr_scheduler's classes are called for. */
export interface Schedule {
  step(metric?: number): void;
}

/** The part of a kept state that lies on the backend or in the optimizer. */
export type Snapshot = Pick<Kept, 'weights' | 'ema' | 'optimizer' | 'scheduler' | 'scaler'>;

/** Where a run begins; all of it zero for a new one. */
export type Start = Pick<Kept, 'epoch' | 'batch' | 'step' | 'best' | 'partial' | 'stale'>;

export interface TrainPoint {
  readonly step: number;
  readonly loss: number;
  readonly lr: number;
}

export interface ValidationPoint {
  readonly step: number;
  readonly epoch: number;
  /** `train_loss`, `val_loss`, `val_accuracy`. */
  readonly metrics: Metrics;
}

export interface Report {
  readonly state: 'running' | 'paused' | 'validating' | 'saving';
  readonly epoch: number;
  /** Batches of this run so far, and all of them. */
  readonly batch: number;
  readonly batches: number;
  readonly step: number;
  readonly train: readonly TrainPoint[];
  readonly validation: readonly ValidationPoint[];
  readonly examplesPerSecond: number;
  readonly secondsLeft: number | null;
  readonly best: Best | null;
  /** Of the last validation, rows are targets; null where there are none or too many classes. */
  readonly confusion: number[][] | null;
}

export interface SessionParts {
  readonly trainer: Trainer;
  /** What is told of validation, the loss among them. */
  readonly metrics: readonly MetricName[];
  readonly schedule: Schedule | null;
  /** The first group's learning rate, as the next step takes it. */
  rate(): number;
  readonly train: Examples;
  readonly validation: Examples;
  readonly settings: RunSettings;
  readonly start: Start;
  /** The epoch that the run ends with, counted as `start` counts. */
  readonly end: number;
  snapshot(): Promise<Snapshot>;
  report(report: Report): void;
  /** Keeps a state; the session goes on when it resolves. */
  keep?(kept: Kept): Promise<void>;
}

/** Results are read back, and the page told, about this often; never every step. */
const REPORT_MS = 250;
/** Results that may wait on the backend, so that a fast GPU is not run ahead without end. */
const MAX_PENDING = 64;
/** Messages (pause, stop, abort) are let in about this often; without a GPU nothing else waits. */
const BREATH_MS = 50;

export class Session {
  readonly #parts: SessionParts;
  #gate: Promise<void> | null = null;
  #open: (() => void) | null = null;
  #stopping = false;
  #epoch: number;
  /** Batches of the epoch in progress behind it. */
  #batch: number;
  #step: number;
  /** Of the epoch in progress. */
  #loss: { sum: number; weight: number };
  #stale: number;
  #done = 0;
  #seen = 0;
  #busyMs = 0;
  #breathed = performance.now();
  /** Results that are still on the backend, with where they belong. */
  #pending: { result: Pending; step: number; lr: number }[] = [];
  best: Kept | null = null;
  last: Kept | null = null;
  #record: Best | null;
  #confusion: number[][] | null = null;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    const { epoch, batch, step, best, partial, stale } = parts.start;
    this.#epoch = epoch;
    this.#batch = batch;
    this.#step = step;
    this.#loss = { sum: partial.loss ?? 0, weight: partial.weight ?? 0 };
    this.#record = best;
    this.#stale = stale;
  }

  /** Whether `stop` ended the run before its time. */
  get stopped(): boolean {
    return this.#stopping;
  }

  /** Whether there has been no progress for as long as early stopping waits. */
  get stalled(): boolean {
    const { earlyStopping } = this.#parts.settings;
    return earlyStopping !== null && this.#stale >= earlyStopping.patience;
  }

  /** Optimizer steps, those before this run included. */
  get steps(): number {
    return this.#step;
  }

  /** Waits after the step in progress until `resume`. */
  pause(): void {
    this.#gate ??= new Promise((open) => (this.#open = open));
  }

  resume(): void {
    this.#open?.();
    this.#gate = this.#open = null;
  }

  /** Ends the run after the step in progress; its state is kept first. */
  stop(): void {
    this.#stopping = true;
    this.resume();
  }

  /** Trains. Resolves when done or stopped; rejects when aborted, with what was kept still there. */
  async run(signal?: AbortSignal): Promise<void> {
    const { end } = this.#parts;
    const wake = () => this.resume();
    signal?.addEventListener('abort', wake, { once: true });
    try {
      while (this.#epoch < end && !this.#stopping) {
        const isWhole = await this.#trainEpoch(signal);
        if (isWhole) await this.#endEpoch(signal);
        else if (this.#batch > 0) await this.#endEarly(signal);
        if (this.stalled) break;
      }
    } finally {
      signal?.removeEventListener('abort', wake);
      discard(this.#pending.map(({ result }) => result));
      this.#pending = [];
    }
  }

  /** The rest of the epoch in progress; false where it was stopped on the way. */
  async #trainEpoch(signal?: AbortSignal): Promise<boolean> {
    const { settings, trainer, train, rate } = this.#parts;
    const { batchSize, keep } = settings;
    const seed = settings.seed * 10_007 + this.#epoch + 1;
    const order = permutation(train.count, seed);
    const batches = Math.ceil(train.count / batchSize);
    const read = (at: number) => {
      const indices = order.subarray(at * batchSize, (at + 1) * batchSize);
      return train.read(indices, { augment: { seed }, signal });
    };
    let reported = -Infinity; // the first step is told at once: it may have compiled for seconds
    let started = performance.now();
    const flush = async (state: 'running' | 'paused') => {
      await this.#tellPending(state, started);
      started = reported = performance.now();
    };

    // Between two steps of the optimizer nothing is gathered that a kept state would lack.
    let isBetween = true;
    for await (const batch of readAhead(this.#batch, batches, read)) {
      signal?.throwIfAborted();
      if (this.#gate) {
        await flush('paused');
        await this.#gate;
        signal?.throwIfAborted();
        started = performance.now();
      }
      if (this.#stopping && isBetween) break;
      const lr = rate();
      const result = await trainer.step(batch);
      this.#batch++;
      this.#done++;
      this.#seen += batch.count;
      isBetween = result.stepped || (this.#batch === batches && (await trainer.flush()));
      if (isBetween) this.#countStep();
      this.#pending.push({ result, step: this.#step, lr });
      const isDue = performance.now() - reported > REPORT_MS;
      if (isDue || this.#pending.length >= MAX_PENDING) await flush('running');
      const isWithin = isBetween && this.#batch < batches;
      if (isWithin && keep.steps > 0 && this.#step % keep.steps === 0) {
        await flush('running');
        await this.#keep({}, null);
        started = performance.now();
      }
    }
    await flush('running');
    return this.#batch >= batches;
  }

  #countStep(): void {
    this.#step++;
    const { settings, schedule } = this.#parts;
    if (settings.scheduler?.interval === 'step') schedule?.step();
  }

  /** Reads what is pending back, adds it up, and tells it. */
  async #tellPending(state: 'running' | 'paused', started: number): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    const settled = await this.#settle(pending.map(({ result }) => result));
    this.#busyMs += performance.now() - started;
    const points = settled.map(({ sums }, at): TrainPoint => {
      this.#loss.sum += sums.loss![0]!;
      this.#loss.weight += sums.loss![1]!;
      const { step, lr } = pending[at]!;
      return { step, lr, loss: metricOf('loss', sums) };
    });
    this.#tell(state, points, []);
    const lost = points.find(({ loss }) => !Number.isFinite(loss));
    if (lost) throw diverged(`the loss is ${lost.loss} at step ${lost.step}`);
  }

  async #settle(pending: readonly Pending[]): Promise<Settled[]> {
    const settled = await settle(pending);
    if (performance.now() - this.#breathed > BREATH_MS) {
      await new Promise((resume) => setTimeout(resume));
      this.#breathed = performance.now();
    }
    return settled;
  }

  /** Validates, steps a schedule that goes by epochs, and keeps the state. */
  async #endEpoch(signal?: AbortSignal): Promise<void> {
    const { settings, schedule } = this.#parts;
    const metrics = await this.#measure(signal);
    this.#epoch++;
    this.#batch = 0;
    this.#loss = { sum: 0, weight: 0 };
    const best = this.#monitored(metrics);
    if (settings.scheduler?.interval === 'epoch') schedule?.step(best.value);
    const isProgress = isBetter(best, this.#record, settings.earlyStopping?.minDelta);
    this.#stale = isProgress ? 0 : this.#stale + 1;
    await this.#keep(metrics, best);
    this.#tell('running', [], [{ step: this.#step, epoch: this.#epoch, metrics }]);
  }

  /**
   * Stopped within an epoch: the state waits for the rest of it. What it is worth is told, but it is
   * no candidate for the best one, or a run that was stopped would end with another best.
   */
  async #endEarly(signal?: AbortSignal): Promise<void> {
    const metrics = await this.#measure(signal);
    await this.#keep(metrics, null);
    this.#tell('running', [], [{ step: this.#step, epoch: this.#epoch + 1, metrics }]);
  }

  #monitored(metrics: Metrics): Best {
    const { metric, mode } = this.#parts.settings.monitor;
    const value = metrics[`val_${metric}`];
    if (value === undefined) throw new Error(`training: there is no val_${metric} to go by`);
    return { epoch: this.#epoch, metric: `val_${metric}`, mode, value };
  }

  async #measure(signal?: AbortSignal): Promise<Metrics> {
    this.#tell('validating', [], []);
    const sums = await this.#validate(signal);
    this.#confusion = confusionOf(sums);
    const metrics: Record<string, number> = {
      lr: this.#parts.rate(),
      train_loss: this.#loss.sum / this.#loss.weight,
    };
    for (const name of this.#parts.metrics) metrics[`val_${name}`] = metricOf(name, sums);
    const { val_loss } = metrics;
    if (Number.isFinite(val_loss)) return metrics;
    throw diverged(`the validation loss is ${val_loss} at step ${this.#step}`);
  }

  async #validate(signal?: AbortSignal): Promise<Sums> {
    const { trainer, validation, settings } = this.#parts;
    const { batchSize } = settings;
    let total: Sums = {};
    let pending: Pending[] = [];
    const read = (at: number) => {
      const count = Math.min(batchSize, validation.count - at * batchSize);
      const indices = Uint32Array.from({ length: count }, (_, index) => at * batchSize + index);
      return validation.read(indices, { signal });
    };
    const add = async () => {
      const waiting = pending;
      pending = [];
      for (const { sums } of await this.#settle(waiting)) total = addSums(total, sums);
    };
    try {
      for await (const batch of readAhead(0, Math.ceil(validation.count / batchSize), read)) {
        signal?.throwIfAborted();
        pending.push(trainer.evaluate(batch));
        if (pending.length >= MAX_PENDING) await add();
      }
      await add();
      return total;
    } finally {
      discard(pending);
    }
  }

  /** Reads the state of this moment and hands it on. `scored` is what it is worth as the best. */
  async #keep(metrics: Metrics, scored: Best | null): Promise<void> {
    const isBest = scored !== null && isBetter(scored, this.#record);
    if (isBest) this.#record = scored;
    this.#tell('saving', [], []);
    const kept: Kept = {
      epoch: this.#epoch,
      batch: this.#batch,
      step: this.#step,
      metrics,
      best: this.#record,
      stale: this.#stale,
      partial: this.#batch > 0 ? { loss: this.#loss.sum, weight: this.#loss.weight } : {},
      ...(await this.#parts.snapshot()),
    };
    this.last = kept;
    if (isBest) this.best = kept;
    await this.#parts.keep?.(kept);
  }

  #tell(
    state: Report['state'],
    train: readonly TrainPoint[],
    validation: readonly ValidationPoint[],
  ): void {
    const { settings, train: examples, start, end } = this.#parts;
    const perEpoch = Math.ceil(examples.count / settings.batchSize);
    const batches = (end - start.epoch) * perEpoch - start.batch;
    const rate = this.#busyMs > 0 ? (this.#seen / this.#busyMs) * 1000 : 0;
    const left = (batches - this.#done) * settings.batchSize;
    this.#parts.report({
      state,
      epoch: Math.min(this.#epoch + (this.#batch > 0 ? 1 : 0), end),
      batch: this.#done,
      batches,
      step: this.#step,
      train,
      validation,
      examplesPerSecond: rate,
      secondsLeft: rate > 0 ? Math.max(0, left / rate) : null,
      best: this.#record,
      confusion: this.#confusion,
    });
  }
}

function diverged(what: string): FindingError {
  return new FindingError({
    code: 'training-diverged',
    message: `training: ${what}`,
    advice: 'Lower the learning rate and train again; the model is what was last kept.',
  });
}
