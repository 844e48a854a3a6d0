/**
 * Training of the model on the bench. What a run keeps goes on being the model. A device that fails
 * in the middle of a step is made anew, and the run goes on from the state that was kept last, to
 * the numbers that it would have had.
 */
import { FindingError, findingOf } from '#lib/checkpoint/finding.ts';
import type { OptimizerName } from '#lib/checkpoint/optimizer.ts';
import type { DataWish } from '#lib/inputs/data/choices.ts';
import type { Dataset } from '#lib/inputs/data/dataset.ts';
import { checkSettings } from '#lib/training/check_settings.ts';
import type { Kept } from '#lib/training/kept.ts';
import type { Report, Session } from '#lib/training/session.ts';
import type { RunSettings } from '#lib/training/settings.ts';
import type { OpenFile } from '#lib/storage/opfs.ts';
import type { RunFile } from '#lib/training/run_file.ts';
import type { CheckedBackend } from './lab.state.ts';
import type { TrainProgress, TrainSummary } from './protocol.train.ts';
import { keptFrom } from './kept_state.ts';
import { RunKeeping, type Written } from './run_keeping.ts';
import type { InputFile } from './run_place.ts';
import { trainedCheckpoint } from './trained.ts';
import { passVerifier } from './verify_pass.ts';
import { makeSession, passOf, type RunSession } from './run_session.ts';
import { stateOf, stateOfFile, type RunState } from './run_state.ts';
import type { Workbench } from './workbench.ts';

export interface TrainRun {
  readonly settings: RunSettings;
  readonly data: Dataset;
  /** `checkpoint` starts from the file and drops what a run before has made. */
  readonly from: 'checkpoint' | 'last';
  /**
   * The epoch that a kept run was to end with: the open file is its state, and it goes on exactly.
   * A new run ends `settings.epochs` on from where it starts.
   */
  readonly end?: number;
  /** The backend; one whose device failed is made anew. */
  backend(): Promise<CheckedBackend>;
  readonly signal: AbortSignal;
  /** Where the run is kept; without it, in memory alone. */
  readonly keep?: KeepWish;
  progress(progress: TrainProgress): void;
}

/** Where a run is kept, and what of the page's choices its run.json tells. */
export interface KeepWish {
  /** The folder that was picked; without it, the browser's own disk. */
  readonly folder?: FileSystemDirectoryHandle;
  /** The run to go on with, by its id. */
  readonly run?: string;
  readonly wish: DataWish;
  readonly inputs: readonly InputFile[];
  readonly openFile?: OpenFile;
}

const versions = { weightroom: __APP_VERSION__ };

/** Devices that may fail one after the other without a new state between them. */
const MAX_FAILURES = 3;

export class Training {
  readonly #bench: Workbench;
  /** What the last run was made of: the exported project says it in Python. */
  settings: RunSettings | null = null;
  data: Dataset | null = null;
  best: Kept | null = null;
  last: Kept | null = null;
  #session: Session | null = null;
  /** What was asked of the run last; a session that is made for it later is told, too. */
  #asked: 'pause' | 'resume' | 'stop' = 'resume';
  /** Of the run before this one. */
  #before: RunSettings | null = null;
  /** The last state that the run in progress has kept. */
  #own: Kept | null = null;
  /** What became of the state that was to be written last. */
  #written: Written | null = null;
  /** What was told of it last. */
  #progress: TrainProgress | null = null;
  /** The optimizer of the last kept state. */
  optimizer: OptimizerName | null = null;
  /** Settled when the run in progress has ended, however it did. */
  #running: Promise<unknown> | null = null;

  constructor(bench: Workbench) {
    this.#bench = bench;
  }

  get isRunning(): boolean {
    return this.#running !== null;
  }

  /** Resolves when nothing is trained any more. */
  async ended(): Promise<void> {
    await this.#running;
  }

  /** Has the run in progress wait, go on or end, also while it starts or gets another device. */
  tell(asked: 'pause' | 'resume' | 'stop'): void {
    this.#asked = asked;
    this.#session?.[asked]();
  }

  /** Trains until done, stopped or aborted; one run at a time. */
  async run(run: TrainRun): Promise<TrainSummary> {
    if (this.#running) {
      throw new FindingError({
        code: 'training-busy',
        message: 'training: a run is in progress',
        advice: 'Stop it before you start another one.',
      });
    }
    const ended = Promise.withResolvers<null>();
    this.#running = ended.promise;
    this.#asked = 'resume';
    try {
      return await this.#run(run);
    } finally {
      this.#running = null;
      ended.resolve(null);
    }
  }

  async #run(run: TrainRun): Promise<TrainSummary> {
    checkSettings(run.settings);
    const started = performance.now();
    if (run.from === 'checkpoint' && this.last) await this.#forget();
    this.#begin();
    this.#before = this.settings;
    const { start } = await this.#state(run);
    const end = run.end ?? start.epoch + run.settings.epochs;
    this.settings = run.settings;
    this.data = run.data;
    await this.#bench.reseed(run.settings.seed);
    const keeping = await this.#openKeeping(run, end);
    let state: RunFile['state'] = 'running';
    try {
      const { stopped, stalled } = await this.#attempts(run, end, keeping);
      state = 'ended';
      return {
        ...{ stopped, stalled },
        epochs: (this.last?.epoch ?? start.epoch) - start.epoch,
        steps: (this.last?.step ?? start.step) - start.step,
        seconds: (performance.now() - started) / 1000,
        best: this.last?.best ?? null,
        last: this.last && { epoch: this.last.epoch, metrics: this.last.metrics },
        folder: keeping && !this.#written?.problem ? keeping.folder : null,
      };
    } finally {
      await keeping?.end(this.#own, state);
    }
  }

  #begin(): void {
    this.#own = null;
    this.#progress = null;
    this.#written = null;
  }

  /** The run's folder; null where there is no disk to keep it on. */
  async #openKeeping(run: TrainRun, end: number): Promise<RunKeeping | null> {
    if (!run.keep) return null;
    const bench = this.#bench;
    const { settings, data, signal } = run;
    const { folder, run: resumed, wish, inputs, openFile } = run.keep;
    const { name, adapter } = await run.backend();
    const backend = { name, adapter };
    const id = resumed ?? crypto.randomUUID();
    const parts = {
      tree: (kept: Kept) => trainedCheckpoint(bench.checkpoint, bench, kept, { settings, run: id }),
      verify: passVerifier(bench, await passOf(bench, data), signal),
      ...{ openFile, signal },
    };
    if (resumed !== undefined) {
      const before = await keptFrom(bench.checkpoint.root);
      const change = { end, backend, versions };
      return RunKeeping.resume({ id, name: settings.name }, before, change, parts);
    }
    const facts = {
      ...{ id, started: new Date().toISOString(), settings, end, backend, versions },
      model: {
        name: bench.module.name,
        source: bench.source,
        edits: bench.edits,
        checkpoint: { name: bench.checkpoint.name, stateDict: bench.stateDict.path.map(String) },
      },
      data: { name: data.name, fingerprint: data.fingerprint, recipe: data.recipe, wish },
    };
    try {
      return await RunKeeping.start(facts, inputs, { ...parts, picked: folder });
    } catch (error) {
      // A browser without room of its own still trains; a folder that was picked must serve.
      const problem = findingOf(error);
      if (folder || !problem.code.startsWith('storage-')) throw error;
      this.#written = { files: [], problem };
      return null;
    }
  }

  /** What the next attempt goes on from. */
  async #state({ settings, end }: TrainRun): Promise<RunState> {
    const { last } = this;
    const isOwn = end !== undefined || (last !== null && last === this.#own);
    return last
      ? stateOf(last, settings, this.#before, isOwn)
      : stateOfFile(this.#bench, settings, isOwn);
  }

  /** Goes on with a new device where one failed. */
  async #attempts(run: TrainRun, end: number, keeping: RunKeeping | null): Promise<Session> {
    for (let failures = 0; ;) {
      const before = this.last;
      const backend = await run.backend();
      try {
        return await this.#attempt(run, backend, end, keeping);
      } catch (error) {
        const failure = run.signal.aborted ? null : await failureOf(backend, error);
        if (!failure) throw error;
        failures = this.last === before ? failures + 1 : 1;
        if (failures > MAX_FAILURES) throw failure;
        this.#tellRecovery(run);
      }
    }
  }

  #tellRecovery({ progress }: TrainRun): void {
    const last = this.#progress;
    if (last) progress({ ...last, state: 'recovering', train: [], validation: [] });
  }

  /** Goes on from the state that was kept last, until done, stopped, or a failure. */
  async #attempt(
    run: TrainRun,
    backend: CheckedBackend,
    end: number,
    keeping: RunKeeping | null,
  ): Promise<Session> {
    const { progress, signal } = run;
    const report = (it: Report) => {
      backend.check();
      this.#progress = {
        ...it,
        epochs: end,
        train: [...it.train],
        validation: [...it.validation],
        kept: this.#written,
      };
      progress(this.#progress);
    };
    let made: RunSession | null = null;
    let failed = true;
    try {
      const state = await this.#state(run);
      const check = () => backend.check();
      const keep = async (kept: Kept) => {
        this.last = this.#own = kept;
        if (keeping) this.#written = await keeping.keep(kept);
      };
      made = await makeSession(this.#bench, { ...run, state, end, report, check, keep });
      const { session } = made;
      this.#session = session;
      session[this.#asked]();
      await session.run(signal);
      failed = false;
      return session;
    } finally {
      this.#session = null;
      if (made) {
        this.best = made.session.best ?? this.best;
        if (made.session.last) {
          this.last = this.#own = made.session.last;
          this.optimizer = made.optimizer;
        }
        made.dispose();
      }
      // What is on the backend may be half a step, or not a number.
      if (failed) await this.#bench.unload();
    }
  }

  /** Back to the file. */
  async #forget(): Promise<void> {
    this.best = this.last = this.optimizer = null;
    await this.#bench.unload();
  }
}

/** Milliseconds after what it broke within which the loss of a device is told. */
const TOLD_WITHIN = 1000;

/** What the device reported, or that it was lost, where that may be behind an error; else null. */
async function failureOf(backend: CheckedBackend, error: unknown): Promise<unknown> {
  const until = performance.now() + (error instanceof FindingError ? 0 : TOLD_WITHIN);
  do {
    await new Promise((resolve) => setTimeout(resolve, 10));
    try {
      backend.check();
    } catch (failure) {
      return failure;
    }
  } while (performance.now() < until);
  return null;
}
