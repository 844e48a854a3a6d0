/**
 * What the lab holds between calls: what is open, the model on the bench, the backend. The handlers
 * of the calls stand in `lab.*.ts`, by page; each works on this.
 */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { FindingError, findingOf, type Finding, type Result } from '#lib/checkpoint/finding.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import type { StateDictCandidate } from '#lib/architecture/binding.ts';
import type { Carried } from '#lib/architecture/carried/open.ts';
import type { ModelSource, SourceFile } from '#lib/architecture/source.ts';
import type { Source } from '#lib/file/source.ts';
import type { Dataset } from '#lib/inputs/data/dataset.ts';
import type { DataWish } from '#lib/inputs/data/choices.ts';
import type { DataFile } from '#lib/inputs/data/given.ts';
import { TOKENIZER_FILES, type Tokenizer } from '#lib/inputs/tokenizer.ts';
import { label } from '#lib/inspect/repr.ts';
import type { OpenFile } from '#lib/storage/opfs.ts';
import type { Outline } from './outline.ts';
import type { Backend, CallName, Calls, Progress } from './protocol.ts';
import type { Safety } from './safety.ts';
import type { Workbench } from './workbench.ts';

/** What a call gets beside its arguments. */
export interface CallContext<K extends CallName> {
  readonly signal: AbortSignal;
  progress(progress: Progress<K>): void;
}

/** The handlers of some calls. */
export type Handlers<K extends CallName> = {
  [Name in K]: (
    args: Calls[Name]['args'],
    context: CallContext<Name>,
  ) => Promise<Calls[Name]['result']> | Calls[Name]['result'];
};

export type CheckedBackend = Backend & { check(): void };

export interface Opened {
  readonly checkpoint: Checkpoint;
  /** The file; the first one of a folder. */
  readonly source: Source;
  readonly outline: Outline;
  readonly stateDicts: readonly StateDictCandidate[];
  readonly carried: Carried | null;
}

/** A checkpoint that is open beside the first. */
export type Beside = Pick<Opened, 'checkpoint' | 'stateDicts'>;

/** A call for something that needs another thing first. */
export function notYet(message: string, advice: string): FindingError {
  return new FindingError({ code: 'not-ready', message, advice });
}

export class LabState {
  /** Opens files of the browser's private disk, where there is one. */
  readonly openFile: OpenFile | undefined;
  opened: Opened | null = null;
  /** By numbers that are not given twice. */
  readonly beside = new Map<number, Beside>();
  #besideCount = 0;
  source: ModelSource | null = null;
  /** The files that the source was read from. */
  files: readonly SourceFile[] = [];
  bench: Workbench | null = null;
  safety: Safety | null = null;
  data: Dataset | null = null;
  /** The files that it was read from. */
  dataFiles: readonly DataFile[] = [];
  dataWish: DataWish = {};
  arrays: ReadonlyMap<string, Tensor> = new Map();
  tokenizer: Tokenizer | null = null;
  /** The files that it was read from; none where the checkpoint has it. */
  tokenizerFiles: readonly File[] = [];
  #backend: Promise<CheckedBackend> | null = null;

  constructor(openFile?: OpenFile) {
    this.openFile = openFile;
  }

  addBeside(beside: Beside): number {
    const id = ++this.#besideCount;
    this.beside.set(id, beside);
    return id;
  }

  needBeside(id: number): Beside {
    const beside = this.beside.get(id);
    if (beside) return beside;
    throw notYet('the other checkpoint is not open', 'Open it again.');
  }

  needSafety(): Safety {
    if (this.safety) return this.safety;
    throw notYet('no file was scanned', 'Scan one on the Safety page first.');
  }

  need(): Opened {
    if (this.opened) return this.opened;
    throw notYet('no checkpoint is open', 'Open a checkpoint first.');
  }

  needBench(): Workbench {
    if (this.bench) return this.bench;
    throw notYet('no model is built', 'Build the model from its source on the Model page first.');
  }

  needTokenizer(): Tokenizer {
    if (this.tokenizer) return this.tokenizer;
    throw notYet('no tokenizer is open', TOKENIZER_FILES);
  }

  /** The backend. One whose device failed is made anew; the model goes back to its kept state. */
  async startBackend(): Promise<CheckedBackend> {
    const { startBackend } = await import('#lib/runtime/backend.ts');
    try {
      const running = await this.#backend;
      running?.check();
      if (running) return running;
    } catch {
      await this.bench?.unload();
    }
    const started = startBackend();
    this.#backend = started;
    started.catch(() => (this.#backend = null)); // the next call tries again
    return started;
  }

  /** Works on the backend. A device that fails is the reason that is given. */
  async onBackend<T>(work: (backend: CheckedBackend) => Promise<T>): Promise<T> {
    const backend = await this.startBackend();
    try {
      return await work(backend);
    } catch (error) {
      await new Promise((resolve) => setTimeout(resolve)); // the loss is told after its effects
      backend.check();
      throw error;
    }
  }
}

/** A finding whose texts come from a file, fit to be shown. */
export function shown(finding: Finding): Finding {
  const { where, message, choices } = finding;
  return {
    ...finding,
    message: label(message),
    ...(where && { where: label(where) }),
    ...(choices && { choices: choices.map(label) }),
  };
}

/** Runs a call for the page: what goes wrong with the user's things becomes a finding. */
export async function attempt<T extends object>(
  signal: AbortSignal,
  run: () => Promise<T>,
): Promise<Result<T>> {
  try {
    return { ok: true, ...(await run()) };
  } catch (error) {
    signal.throwIfAborted();
    return { ok: false, findings: [shown(findingOf(error))] };
  }
}
