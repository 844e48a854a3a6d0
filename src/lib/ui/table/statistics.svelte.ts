import { WorkerCrash } from '#lib/worker/client.ts';
import type { RowStandout, TensorSummary, TensorTable } from '#lib/worker/protocol.ts';
import type { Desk } from '../desk.ts';
import { paceText } from '../format.ts';
import type { Figure } from './filter.ts';
import type { KnownFigures, Mark } from './table_rows.ts';
import { words } from './words.ts';

type NumberFigure = Exclude<Figure, 'elements' | 'bytes'>;

/** Elements that one call reads, and rows: others' calls get their turn in between. */
const BATCH_BYTES = 16 * 2 ** 20;
const BATCH_ROWS = 256;
/** Milliseconds between looks at whether other work has ended. */
const WAIT = 100;
/** Milliseconds between two updates of the page: each sorts and filters anew. */
const UPDATE_EVERY = 1000;
/** More is read only when somebody asks for it. */
const UNASKED_BYTES = 2 ** 30;
/** Exponents beyond are drawn at the edge: what is smaller is no number to look at. */
const LEAST_EXPONENT = -64;
const LARGEST_EXPONENT = 32;

const labels = words.marks.standouts;
const tones = { error: 'bad', warning: 'warn', info: 'plain' } as const;

/**
 * Statistics of all tensors, read in the order of the file while nothing else is done. The page asks
 * for a few rows at a time, so it can pause between them and go on later; what is known stays.
 */
export class StatisticsState implements KnownFigures {
  state = $state<'idle' | 'running' | 'paused' | 'done'>('idle');
  /** How far it is: `1.2 GB of 14 GB · 512 MB/s · 25 s left`. */
  detail = $state('');
  fraction = $state(0);
  standouts = $state.raw<readonly RowStandout[]>([]);
  readonly codes = [...Object.keys(labels), 'duplicate', 'unread'];
  /** Counts updates of the columns below, which are filled in place. */
  #version = $state(0);
  #summaries: (TensorSummary | null | undefined)[] = [];
  #columns = emptyColumns(0);
  /** By row. */
  #marks = $state.raw<readonly (readonly Mark[] | undefined)[]>([]);
  #extra: (Mark | undefined)[] = [];
  #table: TensorTable | null = null;
  #run: AbortController | null = null;
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Begins anew, with another table or none. */
  reset(table: TensorTable | null): void {
    this.#run?.abort();
    this.#run = null;
    this.#table = table;
    this.#summaries = [];
    this.#columns = emptyColumns(table?.names.length ?? 0);
    this.#extra = [];
    this.#marks = [];
    this.standouts = [];
    this.state = 'idle';
    this.detail = '';
    this.fraction = 0;
    this.#version++;
  }

  /** Bytes of the elements that a whole pass reads. */
  get total(): number {
    return this.#table ? sum(this.#table.bytes, this.#table.order) : 0;
  }

  /** Starts where that reads little; else it waits to be asked. */
  startUnasked(): void {
    if (this.state === 'idle' && this.#table && this.total <= UNASKED_BYTES) void this.start();
  }

  pause(): void {
    this.#run?.abort();
  }

  /** Goes through the rows that are not known yet. */
  async start(): Promise<void> {
    const table = this.#table;
    if (!table || this.state === 'running' || this.state === 'done') return;
    const run = new AbortController();
    this.#run = run;
    this.state = 'running';
    try {
      await this.#readAll(table, run.signal);
      await this.#compare(run.signal);
      this.state = 'done';
    } catch (error) {
      if (this.#run !== run) return; // another table has taken its place
      this.state = 'paused';
      // Of a crash the lab tells, and opens the file anew.
      if (!run.signal.aborted && !(error instanceof WorkerCrash)) {
        this.#desk.problems.defect(words.statistics.unread, error);
      }
    }
    if (this.#run === run) await this.#update();
  }

  async #readAll(table: TensorTable, signal: AbortSignal): Promise<void> {
    const { client, problems } = this.#desk;
    const left = [...table.order].filter((row) => this.#summaries[row] === undefined);
    const total = sum(table.bytes, table.order);
    const before = total - sum(table.bytes, left);
    const started = performance.now();
    let [read, updated] = [0, performance.now()];
    const tell = (bytes: number) => {
      this.fraction = total > 0 ? (before + bytes) / total : 1;
      const pace = paceText(bytes, total - before, (performance.now() - started) / 1000);
      this.detail = before > 0 ? words.statistics.before(before, pace) : pace;
    };
    for (let at = 0; at < left.length;) {
      await this.#quiet(signal);
      const rows = batchOf(table, left, at);
      const result = await client.call(
        'summarize',
        { rows },
        { signal, onProgress: ({ bytes }) => tell(read + bytes) },
      );
      signal.throwIfAborted();
      if (!problems.check(words.statistics.unread, result)) {
        this.pause();
        throw signal.reason;
      }
      for (const { row, summary, problem } of result.rows) this.#keep(row, summary, problem);
      at += rows.length;
      read += sum(table.bytes, rows);
      tell(read);
      if (performance.now() - updated < UPDATE_EVERY) continue;
      await this.#update();
      signal.throwIfAborted();
      updated = performance.now();
    }
    await this.#update();
  }

  /** Looks for tensors that are stored twice. */
  async #compare(signal: AbortSignal): Promise<void> {
    await this.#quiet(signal);
    const result = await this.#desk.client.call(
      'duplicates',
      {},
      {
        signal,
        onProgress: ({ bytes, total }) => {
          this.fraction = bytes / total;
          this.detail = words.statistics.comparing(bytes, total);
        },
      },
    );
    signal.throwIfAborted();
    if (!this.#desk.problems.check(words.statistics.uncompared, result)) return;
    const names = this.#table!.names;
    for (const { row, of } of result.rows) {
      const text = words.marks.duplicateText(names[of]);
      this.#extra[row] = { id: 'duplicate', label: words.marks.duplicate, text, tone: 'plain' };
    }
  }

  /** Waits while the person's own work is under way. */
  async #quiet(signal: AbortSignal): Promise<void> {
    while (this.#desk.tasks.busy) {
      this.detail = words.statistics.waiting;
      await new Promise((resolve) => setTimeout(resolve, WAIT));
      signal.throwIfAborted();
    }
  }

  #keep(row: number, summary: TensorSummary | null, problem: string): void {
    this.#summaries[row] = summary;
    if (!summary) {
      this.#extra[row] = { id: 'unread', label: words.marks.unread, text: problem, tone: 'plain' };
      return;
    }
    const columns = this.#columns;
    columns.min[row] = Number(summary.min ?? NaN);
    columns.max[row] = Number(summary.max ?? NaN);
    columns.mean[row] = summary.mean ?? NaN;
    columns.std[row] = summary.std ?? NaN;
    columns.norm[row] = summary.norm ?? NaN;
    columns.zeros[row] = summary.count > 0 ? summary.zeros / summary.count : NaN;
    columns.nan[row] = summary.nans;
    columns.inf[row] = summary.positiveInfinities + summary.negativeInfinities;
  }

  /** Shows what is known by now. */
  async #update(): Promise<void> {
    const table = this.#table;
    const standouts = await this.#desk.client.call('standouts', {});
    if (this.#table !== table) return;
    this.standouts = standouts;
    const marks = this.#extra.map((mark) => (mark ? [mark] : undefined));
    for (const { row, code, severity, message } of standouts) {
      const mark = { id: code, label: labels[code], text: message, tone: tones[severity] };
      marks[row] = [...(marks[row] ?? []), mark];
    }
    this.#marks = marks;
    this.#version++;
  }

  figure(figure: NumberFigure): Float64Array {
    void this.#version;
    return this.#columns[figure];
  }

  remarks(row: number): readonly Mark[] {
    return this.#marks[row] ?? [];
  }

  summary(row: number): TensorSummary | null | undefined {
    void this.#version;
    return this.#summaries[row];
  }

  /** The exponents from the least to the largest of all rows: the axis of their histograms. */
  readonly exponents = $derived.by((): readonly [number, number] => {
    void this.#version;
    let [least, largest] = [Infinity, -Infinity];
    for (const summary of this.#summaries) {
      if (!summary?.magnitudes) continue;
      const { first, counts } = summary.magnitudes;
      least = Math.min(least, first);
      largest = Math.max(largest, first + counts.length - 1);
    }
    const within = (exponent: number) =>
      Math.max(LEAST_EXPONENT, Math.min(LARGEST_EXPONENT, exponent));
    return least > largest ? [0, 0] : [within(least), within(largest)];
  });
}

function batchOf(table: TensorTable, left: readonly number[], start: number): number[] {
  const rows: number[] = [];
  let bytes = 0;
  for (let at = start; at < left.length && rows.length < BATCH_ROWS; at++) {
    const row = left[at]!;
    bytes += table.bytes[row]!;
    if (rows.length > 0 && bytes > BATCH_BYTES) break;
    rows.push(row);
  }
  return rows;
}

function sum(column: Float64Array, rows: Iterable<number>): number {
  let total = 0;
  for (const row of rows) total += column[row]!;
  return total;
}

function emptyColumns(count: number): Record<NumberFigure, Float64Array> {
  const column = () => new Float64Array(count).fill(NaN);
  return {
    ...{ min: column(), max: column(), mean: column(), std: column(), norm: column() },
    ...{ zeros: column(), nan: column(), inf: column() },
  };
}
