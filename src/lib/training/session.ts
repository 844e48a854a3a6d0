/**
 * A training run: epochs over shuffled batches, validation after each, the best and the last state
 * kept. It knows no disks and no pages: it tells `report` what happened, and what it kept is read
 * from `best` and `last`.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Dict } from '#lib/checkpoint/value.ts';
import type { Batch } from '#lib/inputs/data/dataset.ts';
import { gatherExamples, type Examples } from '#lib/inputs/dataset.ts';
import { permutation } from '#lib/inputs/random.ts';
import type { Optimizer } from '#lib/optim/optimizer.ts';
import type { Model, Weights } from '#lib/runtime/model.ts';
import { metricOf } from './metrics.ts';
import { discard, settle, Trainer, type GraphFor, type Pending } from './trainer.ts';

export interface SessionSettings {
  /** Epochs of this run; they are counted on from `startEpoch`. */
  readonly epochs: number;
  /** Epochs that the checkpoint has behind it. */
  readonly startEpoch: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly loss: 'cross_entropy' | 'nll_loss';
}

export interface Metrics {
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
}

/** A state of the run that can be saved. */
export interface Kept {
  readonly metrics: Metrics & { readonly trainLoss: number };
  readonly weights: Weights;
  readonly optimizer: Dict;
}

export interface Report {
  readonly state: 'running' | 'paused' | 'validating';
  readonly epoch: number;
  readonly step: number;
  readonly steps: number;
  readonly train: readonly { step: number; loss: number; accuracy: number }[];
  readonly validation: readonly { step: number; epoch: number; loss: number; accuracy: number }[];
  readonly examplesPerSecond: number;
  readonly secondsLeft: number | null;
  readonly best: Metrics | null;
}

/** Losses are read back, and the page told, about this often; never every step. */
const REPORT_MS = 250;
/** Results that may wait on the backend, so that a fast GPU is not run ahead without end. */
const MAX_PENDING = 64;
/** Messages (pause, stop, abort) are let in about this often; without a GPU nothing else waits. */
const BREATH_MS = 50;

export class Session {
  readonly #model: Model;
  readonly #optimizer: Optimizer;
  readonly #trainer: Trainer;
  readonly #train: Examples;
  readonly #validation: Examples;
  readonly #settings: SessionSettings;
  readonly #report: (report: Report) => void;
  #gate: Promise<void> | null = null;
  #open: (() => void) | null = null;
  #stopping = false;
  #step = 0;
  #seen = 0;
  #busyMs = 0;
  /** Steps whose numbers are still on the backend. */
  #pending: Pending[] = [];
  #breathed = performance.now();
  #trained: { loss: number; count: number }[] = [];
  best: Kept | null = null;
  last: Kept | null = null;
  /** Whether `stop` ended the run before its time. */
  get stopped(): boolean {
    return this.#stopping;
  }

  constructor(parts: {
    model: Model;
    optimizer: Optimizer;
    graphFor: GraphFor;
    train: Examples;
    validation: Examples;
    settings: SessionSettings;
    report: (report: Report) => void;
  }) {
    this.#model = parts.model;
    this.#optimizer = parts.optimizer;
    this.#train = parts.train;
    this.#validation = parts.validation;
    this.#settings = parts.settings;
    this.#report = parts.report;
    const { loss, batchSize, seed } = parts.settings;
    const graph = parts.graphFor(batchSize, true);
    const classes = graph.nodes[graph.outputs[0]!]!.shape[1] ?? 0;
    this.#trainer = new Trainer({
      model: parts.model,
      optimizer: parts.optimizer,
      loss: { name: loss, ignoreIndex: -100, classWeights: null, labelSmoothing: 0 },
      target: {
        kind: 'class',
        classes: Array.from({ length: classes }, (_, at) => `${at}`),
        shape: [],
      },
      metrics: ['loss', 'accuracy'],
      graphFor: parts.graphFor,
      batchSize,
    });
    this.#model.seed = seed;
  }

  /** Waits after the step in progress until `resume`. */
  pause(): void {
    this.#gate ??= new Promise((open) => (this.#open = open));
  }

  resume(): void {
    this.#open?.();
    this.#gate = this.#open = null;
  }

  /** Ends the run after the step in progress; it validates and keeps its state first. */
  stop(): void {
    this.#stopping = true;
    this.resume();
  }

  /** Trains. Resolves when done or stopped; rejects when aborted, with what was kept still there. */
  async run(signal?: AbortSignal): Promise<void> {
    const { epochs, startEpoch } = this.#settings;
    const wake = () => this.resume();
    signal?.addEventListener('abort', wake, { once: true });
    try {
      for (let epoch = startEpoch + 1; epoch <= startEpoch + epochs && !this.#stopping; epoch++) {
        await this.#runEpoch(epoch, signal);
        // Stopped before the first step of an epoch: the one before is the last.
        if (this.#trained.length > 0) await this.#validate(epoch, signal);
      }
    } finally {
      signal?.removeEventListener('abort', wake);
      discard(this.#pending);
      this.#trainer.dispose();
    }
  }

  get steps(): number {
    return this.#step;
  }

  /** Reads the numbers of the steps that wait for it. */
  async #settle() {
    const pending = this.#pending;
    this.#pending = [];
    const settled = (await settle(pending)).map(({ count, sums }) => ({
      count,
      loss: metricOf('loss', sums),
      correct: sums.hits![0]!,
    }));
    if (performance.now() - this.#breathed > BREATH_MS) {
      await new Promise((resume) => setTimeout(resume));
      this.#breathed = performance.now();
    }
    return settled;
  }

  async #runEpoch(epoch: number, signal?: AbortSignal): Promise<void> {
    const { batchSize, seed } = this.#settings;
    const order = permutation(this.#train.count, seed * 10_007 + epoch);
    this.#trained = [];
    let reported = -Infinity; // the first step is told at once: it may have compiled for seconds
    let started = performance.now();
    const flush = async (state: 'running' | 'paused') => {
      const first = this.#step - this.#pending.length;
      const settled = await this.#settle();
      this.#busyMs += performance.now() - started;
      started = performance.now();
      for (const { loss, count } of settled) this.#trained.push({ loss, count });
      const points = settled.map(({ loss, correct, count }, index) => ({
        step: first + index + 1,
        loss,
        accuracy: correct / count,
      }));
      const lost = points.find(({ loss }) => !Number.isFinite(loss));
      this.#tell(state, epoch, points, []);
      if (lost) throw diverged(`the loss is ${lost.loss} at step ${lost.step}`);
    };

    for (let at = 0; at < this.#train.count && !this.#stopping; at += batchSize) {
      signal?.throwIfAborted();
      if (this.#gate) {
        await flush('paused');
        await this.#gate;
        signal?.throwIfAborted();
        started = performance.now();
        if (this.#stopping) break;
      }
      const indices = order.subarray(at, Math.min(at + batchSize, order.length));
      this.#pending.push(await this.#trainer.step(batchOf(this.#train, indices)));
      this.#step++;
      this.#seen += indices.length;
      if (performance.now() - reported > REPORT_MS || this.#pending.length >= MAX_PENDING) {
        await flush('running');
        reported = performance.now();
      }
    }
    await flush('running');
  }

  async #validate(epoch: number, signal?: AbortSignal): Promise<void> {
    this.#tell('validating', epoch, [], []);
    const { batchSize } = this.#settings;
    const results: { loss: number; correct: number; count: number }[] = [];
    for (let at = 0; at < this.#validation.count; at += batchSize) {
      signal?.throwIfAborted();
      const end = Math.min(at + batchSize, this.#validation.count);
      const indices = Uint32Array.from({ length: end - at }, (_, index) => at + index);
      this.#pending.push(this.#trainer.evaluate(batchOf(this.#validation, indices)));
      if (this.#pending.length >= MAX_PENDING) results.push(...(await this.#settle()));
    }
    results.push(...(await this.#settle()));
    const count = results.reduce((sum, result) => sum + result.count, 0);
    const mean = (of: (result: (typeof results)[number]) => number) =>
      results.reduce((sum, result) => sum + of(result), 0) / count;
    const metrics = {
      epoch,
      loss: mean(({ loss, count }) => loss * count),
      accuracy: mean(({ correct }) => correct),
      trainLoss: weightedLoss(this.#trained),
    };
    if (!Number.isFinite(metrics.loss)) {
      throw diverged(`the validation loss is ${metrics.loss} after epoch ${epoch}`);
    }
    this.last = {
      metrics,
      weights: await this.#model.read(),
      optimizer: await this.#optimizer.stateDict(),
    };
    if (!this.best || metrics.loss < this.best.metrics.loss) this.best = this.last;
    const { loss, accuracy } = metrics;
    this.#tell('running', epoch, [], [{ step: this.#step, epoch, loss, accuracy }]);
  }

  #tell(
    state: Report['state'],
    epoch: number,
    train: Report['train'],
    validation: Report['validation'],
  ): void {
    const { epochs, batchSize } = this.#settings;
    const steps = epochs * Math.ceil(this.#train.count / batchSize);
    const rate = this.#busyMs > 0 ? (this.#seen / this.#busyMs) * 1000 : 0;
    const left = epochs * this.#train.count - this.#seen;
    this.#report({
      state,
      epoch,
      step: this.#step,
      steps,
      train,
      validation,
      examplesPerSecond: rate,
      secondsLeft: rate > 0 ? left / rate : null,
      best: this.best?.metrics ?? null,
    });
  }
}

function batchOf(examples: Examples, indices: Uint32Array): Batch {
  const { inputs, labels } = gatherExamples(examples, indices);
  return { count: indices.length, inputs, targets: Int32Array.from(labels) };
}

function diverged(what: string): FindingError {
  return new FindingError({
    code: 'training-diverged',
    message: `training: ${what}`,
    advice: 'Lower the learning rate and train again; the model is what was last kept.',
  });
}

function weightedLoss(results: readonly { loss: number; count: number }[]): number {
  const count = results.reduce((sum, result) => sum + result.count, 0);
  return results.reduce((sum, { loss, count }) => sum + loss * count, 0) / count;
}
