import type {
  Calls,
  Finding,
  FoundRun,
  RunSettings,
  TrainProgress,
  TrainSummary,
} from '#lib/worker/protocol.ts';
import { keepStorage } from '#lib/storage/persist.ts';
import type { Desk } from '../desk.ts';
import type { Curves } from './curves.ts';
import { words } from './words/page.ts';

type TrainArgs = Calls['train']['args'];

/** A training run: its progress, its curves, its end. It goes on while other pages are shown. */
export class TrainingState {
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
  /** What was written last of this run, or why it could not be. */
  kept = $state.raw<TrainProgress['kept']>(null);
  confusion = $state.raw<number[][] | null>(null);
  /** Of the run in progress, or the last one. */
  settings = $state.raw<RunSettings | null>(null);
  /** Where the next run's files go; null is the private disk. */
  folder = $state.raw<FileSystemDirectoryHandle | null>(null);
  /** The kept run that is gone on with. */
  run = $state.raw<NonNullable<TrainArgs['run']> | null>(null);
  /** Grows in place; `version` says when, so that long runs do not copy their history. */
  readonly curves: Curves = { train: [], validation: [] };
  version = $state(0);
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Another checkpoint: the curves of the old one go. */
  reset(): void {
    this.settings = null;
    this.unsaved = false;
    this.resumable = false;
    this.run = null;
    this.#forgetRun();
    this.#clearCurves();
  }

  /** The next run goes on with a kept one, in the place where that is kept. */
  continueRun(run: NonNullable<TrainArgs['run']>, place: FoundRun['place']): void {
    this.run = run;
    this.folder = place === 'private' ? null : place.handle;
  }

  /** The next run is one of its own. */
  forgetKept(): void {
    this.run = null;
  }

  /** The curves, to be shown again when the run goes on in another worker. */
  takeCurves(): Curves {
    return { train: [...this.curves.train], validation: [...this.curves.validation] };
  }

  giveCurves({ train, validation }: Curves): void {
    this.#given = { train, validation };
  }

  #given: Curves | null = null;

  #forgetRun(): void {
    this.progress = null;
    this.summary = null;
    this.findings = [];
    this.kept = null;
    this.confusion = null;
  }

  /** `last` goes on where the run before ended; `checkpoint` starts over from the file. */
  async start(from: TrainArgs['from'], settings: RunSettings): Promise<void> {
    if (this.running) return;
    const { run, folder } = this;
    if (from === 'checkpoint') this.reset();
    else this.#forgetRun();
    this.run = run;
    this.#showGiven();
    this.settings = settings;
    this.running = true;
    this.stopping = false;
    if (!folder) void keepStorage();
    const args = { settings, from, ...(folder && { folder }), ...(run && { run }) };
    try {
      const result = await this.#desk.tasks.during(
        this.#desk.client.call('train', args, {
          onProgress: (progress) => this.#receive(progress),
        }),
      );
      if (result.ok) this.#ended(result.summary);
      else this.findings = result.findings;
    } catch (error) {
      this.#desk.problems.defect(words.brokeOff, error);
    } finally {
      this.running = false;
      this.stopping = false;
    }
  }

  #ended(summary: TrainSummary): void {
    this.summary = summary;
    this.run = null;
    this.resumable ||= summary.steps > 0;
    this.unsaved = summary.steps > 0 && (summary.folder === null || this.kept?.problem != null);
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
      this.#desk.problems.defect(words.notTold(call), error);
    }
  }

  #receive(progress: TrainProgress): void {
    this.progress = progress;
    if (progress.batch > 0) this.unsaved = true;
    if (progress.kept) this.kept = progress.kept;
    if (progress.confusion) this.confusion = progress.confusion;
    const { train, validation } = progress;
    if (train.length === 0 && validation.length === 0) return;
    this.#dropFrom(train[0]?.step ?? Infinity, validation[0]?.step ?? Infinity);
    this.curves.train.push(...train);
    this.curves.validation.push(...validation);
    this.version++;
  }

  /** A run that recovered goes over some steps again: their old points give way. */
  #dropFrom(train: number, validation: number): void {
    const { curves } = this;
    while ((curves.train.at(-1)?.step ?? -1) >= train) curves.train.pop();
    while ((curves.validation.at(-1)?.step ?? -1) >= validation) curves.validation.pop();
  }

  #showGiven(): void {
    this.curves.train.push(...(this.#given?.train ?? []));
    this.curves.validation.push(...(this.#given?.validation ?? []));
    this.#given = null;
    this.version++;
  }

  #clearCurves(): void {
    this.curves.train.length = 0;
    this.curves.validation.length = 0;
    this.version++;
  }
}
