import type {
  BuiltModel,
  Finding,
  LossName,
  OptimizerName,
  RunSettings,
  TrainProgress,
  TrainSummary,
} from '#lib/worker/protocol.ts';
import type { Desk } from './desk.ts';

type Point = Pick<TrainProgress['train'][number], 'step' | 'loss'>;
type Validation = Point & { epoch: number; accuracy: number | null };
type From = 'checkpoint' | 'last';

export interface Curves {
  train: Point[];
  validation: Validation[];
}

/** torch.optim's defaults, for a fresh start. */
const freshRates = {
  ...{ SGD: 0.01, Adam: 0.001, AdamW: 0.001, NAdam: 0.002, RAdam: 0.001 },
  ...{ Adamax: 0.002, RMSprop: 0.01, Adagrad: 0.01, Adadelta: 1 },
} as const;

interface Settings {
  epochs: number;
  batchSize: number;
  learningRate: number;
  weightDecay: number;
  seed: number;
  optimizer: 'checkpoint' | OptimizerName;
  loss: Extract<LossName, 'cross_entropy' | 'nll_loss'>;
  validationShare: number;
}

function runSettings(form: Settings): RunSettings {
  const options = { lr: form.learningRate, weight_decay: form.weightDecay };
  const classes = { ignoreIndex: -100, classWeights: null };
  return {
    ...{ name: 'model', epochs: form.epochs, batchSize: form.batchSize, seed: form.seed },
    accumulate: 1,
    optimizer:
      form.optimizer === 'checkpoint'
        ? { name: 'checkpoint', options }
        : { name: form.optimizer, options, groups: [] },
    ...{ scheduler: null, scaler: null, clip: null, ema: null, earlyStopping: null },
    loss:
      form.loss === 'nll_loss'
        ? { name: 'nll_loss', ...classes }
        : { name: 'cross_entropy', labelSmoothing: 0, ...classes },
    monitor: { metric: 'loss', mode: 'min' },
    data: { validationShare: form.validationShare, stratified: false, augmentation: null },
    keep: { every: 0, newest: 3, steps: 0 },
  };
}

/** A training run: its settings, its curves, its end. It goes on while other pages are shown. */
export class TrainingState {
  settings = $state<Settings>({
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
  async start(from: From): Promise<void> {
    if (this.running) return;
    if (from === 'checkpoint') this.reset();
    this.progress = null;
    this.summary = null;
    this.findings = [];
    this.running = true;
    this.stopping = false;
    try {
      const settings = runSettings($state.snapshot(this.settings));
      const args = { settings, from };
      const result = await this.#desk.client.call('train', args, {
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
    this.curves.train.push(...progress.train);
    this.curves.validation.push(
      ...progress.validation.map(({ step, epoch, metrics }) => ({
        ...{ step, epoch, loss: metrics.val_loss! },
        accuracy: metrics.val_accuracy ?? null,
      })),
    );
    this.version++;
  }

  #clearCurves(): void {
    this.curves.train.length = 0;
    this.curves.validation.length = 0;
    this.version++;
  }
}
