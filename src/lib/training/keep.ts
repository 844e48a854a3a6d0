/**
 * Which files a run leaves, and in which order. It knows no disks: it is handed functions that
 * write a file whole or not at all. metrics.csv is written before the states, since a row too many
 * is cut off again where a run goes on, and one too few would be missing for ever; the best state
 * before the last one, since a run goes on from the newest file, whichever that is. run.json comes
 * last and tells only of what lies there; old files go when all of that stands.
 */
import { monitoredName } from './best.ts';
import type { Kept, Metrics } from './kept.ts';
import type { Place, RunFacts, RunFile } from './run_file.ts';
import type { RunSettings } from './settings.ts';

export const LAST = 'last.pt';
export const BEST = 'best.pt';
export const METRICS = 'metrics.csv';
export const RUN = 'run.json';
/** Copies of the files that the run needs, one behind the other. */
export const INPUTS = 'inputs.bin';

/** The folder of a run, as far as keeping needs it. Each name is of a file in it. */
export interface RunFiles {
  /** Writes a checkpoint. Resolves when it was read back; rejects with the old file untouched. */
  writeCheckpoint(name: string, kept: Kept): Promise<void>;
  /** The same for a text. */
  writeText(name: string, text: string): Promise<void>;
  /** The versions of a text, the newest first: one that was cut off may not be whole. */
  readTexts(name: string): Promise<readonly string[]>;
  names(): Promise<readonly string[]>;
  remove(name: string): Promise<void>;
}

export class Keeper {
  readonly #disk: RunFiles;
  readonly #facts: RunFacts;
  /** Of metrics.csv. */
  #rows: readonly Row[];
  #rowsOnDisk: readonly Row[];
  /** The best state, as long as it is not on the disk. */
  #owed: Kept | null = null;
  /** The state on the disk. */
  #kept: Standing | null;
  readonly #files = new Map<string, Place>();
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(disk: RunFiles, facts: RunFacts, kept: Standing | null, rows: Row[]) {
    this.#disk = disk;
    this.#facts = facts;
    this.#kept = kept;
    this.#rows = this.#rowsOnDisk = rows;
  }

  /**
   * Begins to keep a run, or goes on keeping one from `before`: then the rows of metrics.csv stay
   * until their epochs are trained again, and `files` are those that run.json told of. It is
   * written at once, so that a folder always says what it is for.
   */
  static async open(
    disk: RunFiles,
    facts: RunFacts,
    { before = null, files = {} }: { before?: Standing | null; files?: RunFile['files'] } = {},
  ): Promise<Keeper> {
    const tables = before ? (await disk.readTexts(METRICS)).map(parseRows) : [];
    const rows = tables.find(({ length }) => length > 0) ?? [];
    const keeper = new Keeper(disk, facts, before, rows);
    for (const [name, place] of Object.entries(files)) keeper.#files.set(name, place);
    await keeper.#writeRun(before, 'running');
    return keeper;
  }

  /**
   * Writes a state and what it changes, and gives the checkpoints' names. One after the other, in
   * the order of the calls. Rejects with the reason of the disk: then everything that was kept
   * before is still there, and the next state is written as if nothing had happened; a best state
   * that could not be written goes along with it.
   */
  keep(kept: Kept): Promise<string[]> {
    return this.#queue(() => this.#keep(kept, 'running'));
  }

  /** Writes the last state, where it is not kept yet, and whether the run came to its end. */
  end(kept: Kept | null, state: RunFile['state'] = 'ended'): Promise<string[]> {
    return this.#queue(async () => {
      if (kept && kept !== this.#kept) return this.#keep(kept, state);
      await this.#writeRun(this.#kept, state);
      return [];
    });
  }

  #queue<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {}); // told to whoever asked for it
    return done;
  }

  async #keep(kept: Kept, state: RunFile['state']): Promise<string[]> {
    const { name, monitor, keep } = this.#facts.settings;
    const isWhole = kept.batch === 0 && kept.epoch > 0;
    const written = [LAST];
    // What cannot be written now stays in mind: the disk may have room the next time.
    if (isWhole) this.#rows = [...this.#rows.filter((row) => row.epoch < kept.epoch), rowOf(kept)];
    if (isWhole && kept.best?.epoch === kept.epoch) this.#owed = kept;
    if (this.#rowsOnDisk !== this.#rows) {
      const rows = this.#rows;
      await this.#disk.writeText(METRICS, metricsCsv(rows));
      this.#rowsOnDisk = rows;
    }
    if (this.#owed) {
      await this.#checkpoint(BEST, this.#owed);
      this.#owed = null;
      written.push(BEST);
    }
    const isNumbered = isWhole && keep.every > 0 && kept.epoch % keep.every === 0;
    const numbered = isNumbered ? numberedName(name, kept, monitor) : null;
    if (numbered) {
      await this.#checkpoint(numbered, kept);
      written.push(numbered);
    }
    await this.#checkpoint(LAST, kept);
    this.#kept = kept;
    await this.#writeRun(kept, state);
    await this.#prune(numbered);
    return written;
  }

  async #checkpoint(name: string, kept: Kept): Promise<void> {
    await this.#disk.writeCheckpoint(name, kept);
    const { epoch, batch, step } = kept;
    this.#files.set(name, { epoch, batch, step });
  }

  #writeRun(kept: Standing | null, state: RunFile['state']): Promise<void> {
    const run: RunFile = {
      version: 1,
      ...this.#facts,
      state,
      updated: new Date().toISOString(),
      place: kept && { epoch: kept.epoch, batch: kept.batch, step: kept.step },
      metrics: kept?.metrics ?? {},
      best: kept?.best ?? null,
      files: Object.fromEntries(this.#files),
    };
    return this.#disk.writeText(RUN, JSON.stringify(run, null, 2));
  }

  /** Removes numbered files but the newest. One that does not go now goes after a later save. */
  async #prune(written: string | null): Promise<void> {
    const { name, keep } = this.#facts.settings;
    if (keep.newest <= 0 || !written) return;
    try {
      const files = (await this.#disk.names()).filter((file) => file !== written);
      for (const old of superfluous(files, name, keep.newest - 1)) {
        await this.#disk.remove(old);
        this.#files.delete(old);
      }
    } catch {
      // The state is kept; what is too much of it stays for now.
    }
  }
}

/** `digits_epoch3_valloss0.0821.pt`. */
export function numberedName(
  name: string,
  { epoch, metrics }: Kept,
  monitor: RunSettings['monitor'],
): string {
  const metric = monitoredName(monitor);
  const value = metrics[metric];
  const text = value === undefined || !Number.isFinite(value) ? 'nan' : value.toFixed(4);
  return `${name}_epoch${epoch}_${metric.replaceAll('_', '')}${text}.pt`;
}

/** The epoch in the name of a numbered file of the run; null for every other name. */
export function numberedEpoch(file: string, name: string): number | null {
  const start = `${name}_epoch`;
  if (!file.startsWith(start)) return null;
  const found = /^(\d+)_[a-z\d]+?(?:-?\d+\.\d{4}|-?[\d.]+e\+\d+|nan)\.pt$/.exec(
    file.slice(start.length),
  );
  return found ? Number(found[1]) : null;
}

/** Whether a run of this name writes, or may remove, a file of that one. */
export function isRunFile(file: string, name: string): boolean {
  return [LAST, BEST, METRICS, RUN, INPUTS].includes(file) || numberedEpoch(file, name) !== null;
}

function superfluous(files: readonly string[], name: string, newest: number): string[] {
  const numbered = files.flatMap((file) => {
    const epoch = numberedEpoch(file, name);
    return epoch === null ? [] : [{ file, epoch }];
  });
  numbered.sort((a, b) => b.epoch - a.epoch);
  return numbered.slice(newest).map(({ file }) => file);
}

/** What run.json and metrics.csv say of a state. */
export type Standing = Pick<Kept, 'epoch' | 'batch' | 'step' | 'metrics' | 'best'>;
interface Row {
  readonly epoch: number;
  readonly step: number;
  readonly metrics: Metrics;
}

/** Without the weights, which would stay in memory. */
function rowOf({ epoch, step, metrics }: Standing): Row {
  return { epoch, step, metrics };
}

/** Metrics in the order of their columns: the learning rate, what was trained, what was held out. */
function columnsOf(rows: readonly Row[]): string[] {
  const rank = (name: string) => ['lr', 'train', 'val'].indexOf(/^[a-z]+/.exec(name)?.[0] ?? '');
  const names = new Set(['lr', ...rows.flatMap(({ metrics }) => Object.keys(metrics))]);
  const known = [...names].filter((name) => rank(name) >= 0);
  return [...known.sort((a, b) => rank(a) - rank(b)), ...[...names].filter((it) => rank(it) < 0)];
}

/** One row an epoch: `epoch,step,lr,train_loss,val_loss,…`; numbers as Python reads them. */
export function metricsCsv(rows: readonly Row[]): string {
  const columns = columnsOf(rows);
  const lines = rows.map(({ epoch, step, metrics }) =>
    [epoch, step, ...columns.map((name) => cell(metrics[name]))].join(),
  );
  return [['epoch', 'step', ...columns].join(), ...lines, ''].join('\n');
}

function cell(value: number | undefined): string {
  if (value === undefined) return '';
  return Number.isFinite(value) ? `${value}` : `${value}`.toLowerCase().replace('infinity', 'inf');
}

/** Reads metrics.csv back. Lines that are no rows of ours are left out. */
function parseRows(text: string): Row[] {
  const [header = '', ...lines] = text.split(/\r?\n/);
  const names = header.split(',');
  if (names[0] !== 'epoch' || names[1] !== 'step') return [];
  return lines.flatMap((line) => {
    const [epoch, step, ...cells] = line.split(',');
    if (!/^\d+$/.test(epoch!) || !/^\d+$/.test(step ?? '')) return [];
    const metrics = cells.flatMap((text, at): [string, number][] => {
      const name = names[at + 2];
      return name === undefined || text === '' ? [] : [[name, numberOf(text)]];
    });
    return [{ epoch: Number(epoch), step: Number(step), metrics: Object.fromEntries(metrics) }];
  });
}

function numberOf(text: string): number {
  return /^-?inf$/.test(text) ? Number(text.replace('inf', 'Infinity')) : Number(text);
}
