import type {
  BuiltModel,
  Finding,
  TrainProgress,
  TrainSettings,
  TrainSummary,
} from '#lib/worker/protocol.ts';
import type { Desk } from './desk.ts';

type Point = TrainProgress['train'][number];
type Validation = TrainProgress['validation'][number];

export interface Curves {
  train: Point[];
  validation: Validation[];
}

/** torch.optim's defaults, for a fresh start. */
const freshRates = {
  ...{ SGD: 0.01, Adam: 0.001, AdamW: 0.001, NAdam: 0.002, RAdam: 0.001 },
  ...{ Adamax: 0.002, RMSprop: 0.01, Adagrad: 0.01, Adadelta: 1 },
} as const;

/** A training run: its settings, its curves, its end. It goes on while other pages are shown. */
export class TrainingState {
  settings = $state<Omit<TrainSettings, 'from'>>({
    epochs: 3,
    batchSize: 64,
    learningRate: 0.001,
    weightDecay: 0,
    seed: 0,
    optimizer: 'AdamW',
    loss: 'cross_entropy',
    validationShare: 0,
  });
  running = $state(false);
  /** Asked for, and not yet answered by the run. */
  stopping = $state(false);
  progress = $state.raw<TrainProgress | null>(null);
  summary = $state.raw<TrainSummary | null>(null);
  findings = $state.raw<Finding[]>([]);
  /** A run has ended with a state that the next one can go on from. */
  resumable = $state(false);
  /** Training has made states that no file holds yet. */
  unsaved = $state(false);
  /** Grows in place; `version` says when, so that long runs do not copy their history. */
  readonly curves: Curves = { train: [], validation: [] };
  version = $state(0);
  /** Steps of the runs that this one goes on from: their curves stay. */
  #stepsBefore = 0;
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Settings that suit a model: the checkpoint's optimizer where it fits. */
  modelChanged(model: BuiltModel | null, source: string): void {
    if (!model) return;
    if (model.optimizer) this.settings.optimizer = 'checkpoint';
    else if (this.settings.optimizer === 'checkpoint') this.settings.optimizer = 'AdamW';
    this.settings.loss = /\blog_softmax\b|\bLogSoftmax\b/.test(source)
      ? 'nll_loss'
      : 'cross_entropy';
    const rate = model.optimizer?.learningRate;
    this.settings.learningRate =
      rate ?? (model.optimizer ? freshRates[model.optimizer.name] : 0.001);
    this.settings.weightDecay = model.optimizer?.weightDecay ?? 0;
  }

  dataChanged(test: number): void {
    this.settings.validationShare = test > 0 ? 0 : 0.1;
  }

  /** Another checkpoint: the curves of the old one go. */
  reset(): void {
    this.progress = null;
    this.summary = null;
    this.findings = [];
    this.unsaved = false;
    this.resumable = false;
    this.#clearCurves();
  }

  /** `last` goes on where the run before ended; `checkpoint` starts over from the file. */
  async start(from: TrainSettings['from']): Promise<void> {
    if (this.running) return;
    if (from === 'checkpoint') this.reset();
    else this.#stepsBefore = this.curves.train.at(-1)?.step ?? 0;
    this.progress = null;
    this.summary = null;
    this.findings = [];
    this.running = true;
    this.stopping = false;
    try {
      const settings = { ...$state.snapshot(this.settings), from };
      const result = await this.#desk.client.call('train', settings, {
        onProgress: (progress) => this.#receive(progress),
      });
      if (result.ok) {
        this.summary = result.summary;
        this.resumable ||= result.summary.steps > 0;
      } else this.findings = result.findings;
    } catch (error) {
      this.#desk.problems.defect('Training broke off', error);
    } finally {
      this.running = false;
      this.stopping = false;
    }
  }

  async pause(): Promise<void> {
    await this.#tell('pause');
  }

  async resume(): Promise<void> {
    await this.#tell('resume');
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.#tell('stop');
  }

  async #tell(call: 'pause' | 'resume' | 'stop'): Promise<void> {
    try {
      await this.#desk.client.call(call, {});
    } catch (error) {
      this.#desk.problems.defect(`Could not ${call} training`, error);
    }
  }

  #receive(progress: TrainProgress): void {
    this.progress = progress;
    if (progress.step > 0) this.unsaved = true;
    if (progress.train.length === 0 && progress.validation.length === 0) return;
    const moved = <T extends { step: number }>(point: T): T => ({
      ...point,
      step: point.step + this.#stepsBefore,
    });
    this.curves.train.push(...progress.train.map(moved));
    this.curves.validation.push(...progress.validation.map(moved));
    this.version++;
  }

  #clearCurves(): void {
    this.#stepsBefore = 0;
    this.curves.train.length = 0;
    this.curves.validation.length = 0;
    this.version++;
  }
}
