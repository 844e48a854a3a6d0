import { download } from '#lib/storage/download.ts';
import { allowed } from '#lib/storage/picker.ts';
import type { FoundRun, OpenedRun, Result } from '#lib/worker/protocol.ts';
import type { Desk } from '../desk.ts';
import { words as page } from './words/page.ts';

const words = page.runs;

/** Training runs that are kept: what the page knows of them, and what it asks for. */
export class RunsState {
  /** Null before anybody has looked. */
  list = $state.raw<readonly FoundRun[] | null>(null);
  /** Of the run that something is done with. */
  busy = $state('');
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  async refresh(): Promise<void> {
    const result = await this.#desk.client.call('runs', {}).catch(() => null);
    if (result && this.#desk.problems.check(words.notListed, result)) {
      this.list = result.runs;
    }
  }

  /** Whether the run's folder may be used; asks the person, so it must follow a click. */
  async allow({ place, name }: FoundRun): Promise<boolean> {
    if (place === 'private') return true;
    const failure = words.noFolder(name);
    try {
      if (await allowed(place.handle)) return true;
      this.#desk.problems.add(failure, [
        {
          code: 'runs.denied',
          severity: 'error',
          message: words.denied(place.folder),
          advice: words.deniedAdvice,
        },
      ]);
    } catch (error) {
      this.#desk.problems.defect(failure, error);
    }
    return false;
  }

  /** The run's newest state that verifies, and what it takes to go on; null where that fails. */
  async open(run: FoundRun): Promise<OpenedRun | null> {
    const result = await this.#with(run, words.opening, (signal) =>
      this.#desk.client.call('openRun', { id: run.id }, { signal }),
    );
    return result?.run ?? null;
  }

  /** The checkpoints that a run has kept; null where that fails. Asks, so it must follow a click. */
  async checkpoints(run: FoundRun): Promise<File[] | null> {
    if (!(await this.allow(run))) return null;
    const result = await this.#with(run, words.looking, (signal) =>
      this.#desk.client.call('runCheckpoints', { id: run.id }, { signal }),
    );
    return result?.files ?? null;
  }

  async export(run: FoundRun): Promise<void> {
    const result = await this.#with(run, words.packing, (signal) =>
      this.#desk.client.call('exportRun', { id: run.id }, { signal }),
    );
    if (result) download(result.file, result.file.name);
  }

  async remove(run: FoundRun): Promise<void> {
    const result = await this.#with(run, words.removing, (signal) =>
      this.#desk.client.call('removeRun', { id: run.id }, { signal }),
    );
    if (result) await this.refresh();
  }

  async #with<T>(
    run: FoundRun,
    said: (name: string) => { readonly label: string; readonly failure: string },
    work: (signal: AbortSignal) => Promise<Result<T>>,
  ): Promise<({ readonly ok: true } & T) | null> {
    const { label, failure } = said(run.name);
    this.busy = run.id;
    const result = await this.#desk.tasks
      .run(label, failure, ({ signal }) => work(signal))
      .finally(() => (this.busy = ''));
    return result && this.#desk.problems.check(failure, result) ? result : null;
  }
}
