import { download } from '#lib/storage/download.ts';
import type {
  CallRow,
  Dropped,
  PickleReport,
  RecordRow,
  Result,
  SafetyReport,
  TraceRow,
} from '#lib/worker/protocol.ts';
import type { Desk } from '../desk.ts';
import { nameOf } from '../dropped.ts';
import { PagedRows } from '../rows.svelte.ts';
import type { Task } from '../tasks.svelte.ts';
import { words } from './words.ts';

/** Files that hold pickles, the likeliest to be looked into first. */
const pickled = /\.(bin|ckpt|metadata|pickle|pkl|pt|pth|pt2|tar)$/i;

/** What was found out about a file's safety. The report's parts stay in the worker. */
export class SafetyState {
  /** What was scanned last or could not be: the open checkpoint, or something that was not opened. */
  subject = $state.raw<Dropped | null>(null);
  /** Index of the file among those of the subject. */
  chosen = $state(0);
  report = $state.raw<SafetyReport | null>(null);
  busy = $state(false);
  readonly #desk: Desk;

  readonly files = $derived(filesOf(this.subject));
  readonly file = $derived(this.files[this.chosen]?.file ?? null);
  /** Of several scans, the one that was begun last counts. */
  #turn = 0;
  #task: Task | null = null;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Scans a file, or one of a folder's, without opening it. */
  async scan(subject: Dropped, chosen?: number): Promise<void> {
    this.subject = subject;
    this.report = null;
    const likeliest = this.files.findIndex(({ path }) => pickled.test(path));
    this.chosen = chosen ?? Math.max(0, likeliest);
    const { file } = this;
    if (!file) return;
    this.busy = true;
    const failure = words.notScanned(file.name);
    const turn = ++this.#turn;
    const result = await this.#desk.tasks
      .run(words.scanning(file.name), failure, (task) => {
        this.#task?.cancel();
        this.#task = task;
        const onProgress = ({ bytes }: { bytes: number }) => (task.detail = words.read(bytes));
        return this.#desk.client.call('scan', { file }, { signal: task.signal, onProgress });
      })
      .finally(() => {
        if (turn === this.#turn) this.busy = false;
      });
    if (
      turn !== this.#turn ||
      this.file !== file ||
      !result ||
      !this.#desk.problems.check(failure, result)
    )
      return;
    this.report = result.report;
  }

  /** Another checkpoint was opened, or the worker that had the report is gone. */
  forget(): void {
    this.subject = null;
    this.report = null;
  }

  calls(pickle: PickleReport): PagedRows<CallRow> {
    return this.#rows('calls', pickle.calls, (start, count) =>
      this.#desk.client.call('madeCalls', { pickle: pickle.id, start, count }),
    );
  }

  /** The calls that `weights_only` does not allow. */
  refusedCalls(pickle: PickleReport): PagedRows<CallRow> {
    const refused = pickle.names.filter(({ standing }) => standing !== 'allowed');
    const total = refused.reduce((sum, { calls }) => sum + calls, 0);
    return this.#rows('calls', total, (start, count) =>
      this.#desk.client.call('madeCalls', { pickle: pickle.id, start, count, refused: true }),
    );
  }

  trace(pickle: PickleReport): PagedRows<TraceRow> {
    return this.#rows('opcodes', pickle.opcodes, (start, count) =>
      this.#desk.client.call('trace', { pickle: pickle.id, start, count }),
    );
  }

  records(report: SafetyReport): PagedRows<RecordRow> {
    return this.#rows('records', report.records, (start, count) =>
      this.#desk.client.call('records', { start, count }),
    );
  }

  /** The source of a class, by its place in the report; null where it failed, which is then told. */
  async source(index: number): Promise<string | null> {
    const failure = words.sources.notShown(this.file?.name ?? '');
    try {
      const result = await this.#desk.client.call('classSource', { index });
      return this.#desk.problems.check(failure, result) ? result.text : null;
    } catch (error) {
      this.#desk.problems.defect(failure, error);
      return null;
    }
  }

  /** Saves the whole report as JSON. */
  async save(): Promise<void> {
    const failure = words.reportNotSaved;
    const result = await this.#desk.tasks.run(words.writingReport, failure, (task) =>
      this.#desk.client.call('report', {}, { signal: task.signal }),
    );
    if (!result || !this.#desk.problems.check(failure, result)) return;
    download(result.file, result.file.name);
  }

  #rows<T>(
    what: keyof typeof words.notListed,
    total: number,
    fetch: (start: number, count: number) => Promise<Result<{ rows: T[] }>>,
  ): PagedRows<T> {
    const failure = words.notListed[what](this.file?.name ?? '');
    return new PagedRows(total, async (start, count) => {
      try {
        const result = await fetch(start, count);
        return this.#desk.problems.check(failure, result) ? result.rows : null;
      } catch (error) {
        this.#desk.problems.defect(failure, error);
        return null;
      }
    });
  }
}

function filesOf(subject: Dropped | null): { path: string; file: File }[] {
  if (!subject) return [];
  return 'file' in subject ? [{ path: nameOf(subject), file: subject.file }] : subject.files;
}
