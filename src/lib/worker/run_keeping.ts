/**
 * A run in progress and its folder: begun or gone on with, told of every state, closed at the end.
 * A disk that fails ends no training: what went wrong is told, the run goes on in memory, and the
 * next state is written as if nothing had happened.
 */
import { findingOf, type Finding } from '#lib/checkpoint/finding.ts';
import type { Value } from '#lib/checkpoint/value.ts';
import type { OpenFile } from '#lib/storage/opfs.ts';
import type { RunFolder } from '#lib/storage/run_folder.ts';
import { Keeper, type Standing } from '#lib/training/keep.ts';
import type { Kept } from '#lib/training/kept.ts';
import type { RunFacts, RunFile } from '#lib/training/run_file.ts';
import { runFilesOf } from './keeping.ts';
import { continueRun, copyInputs, noteRun, startRun, type InputFile } from './run_place.ts';
import { readRun } from './runs.ts';

export interface RunKeepingParts {
  /** What a state is written as: `trainedCheckpoint` with the run's id and settings. */
  tree(kept: Kept): Value;
  /** Judges what was read back; see `passVerifier`. */
  verify?(root: Value, kept: Kept): Promise<void>;
  readonly openFile?: OpenFile;
  readonly signal: AbortSignal;
}

/** What was written, or why it could not be. */
export interface Written {
  readonly files: string[];
  readonly problem: Finding | null;
}

export class RunKeeping {
  readonly #folder: RunFolder;
  readonly #keeper: Keeper;

  private constructor(folder: RunFolder, keeper: Keeper) {
    this.#folder = folder;
    this.#keeper = keeper;
  }

  /**
   * Begins a new run, on the browser's own disk or in a picked folder, with copies of what it needs
   * where these are not large. Throws a FindingError where it cannot be kept there.
   */
  static async start(
    facts: Omit<RunFacts, 'inputs'>,
    inputs: readonly InputFile[],
    parts: RunKeepingParts & { readonly picked?: FileSystemDirectoryHandle },
  ): Promise<RunKeeping> {
    const { openFile, picked } = parts;
    const { id, settings } = facts;
    const folder = await startRun({ id, name: settings.name, folder: picked, openFile });
    return RunKeeping.#open(folder, parts, async (files) =>
      Keeper.open(files, { ...facts, inputs: await copyInputs(folder, inputs) }),
    );
  }

  /**
   * Goes on with a run from `before`, the state that `openRun` gave. `change` says what is new of
   * it: another end, another device. Throws a FindingError where another tab has it.
   */
  static async resume(
    { id, name }: { id: string; name: string },
    before: Standing,
    change: Partial<Pick<RunFacts, 'end' | 'backend' | 'versions'>>,
    parts: RunKeepingParts,
  ): Promise<RunKeeping> {
    const folder = await continueRun({ id, name }, parts.openFile);
    return RunKeeping.#open(folder, parts, async (files) => {
      const { version, state, updated, place, metrics, best, ...facts } = await readRun(
        folder.directory,
      );
      return Keeper.open(files, { ...facts, ...change }, { before, files: facts.files });
    });
  }

  static async #open(
    folder: RunFolder,
    { tree, verify, signal }: RunKeepingParts,
    open: (files: ReturnType<typeof runFilesOf>) => Promise<Keeper>,
  ): Promise<RunKeeping> {
    try {
      const note = async (run: string) => {
        const { id } = JSON.parse(run) as RunFile;
        await noteRun(folder, id, run);
      };
      const keeper = await open(runFilesOf(folder, { tree, verify, note, signal }));
      return new RunKeeping(folder, keeper);
    } catch (error) {
      await folder.close();
      throw error;
    }
  }

  /** The folder's name. */
  get folder(): string {
    return this.#folder.directory.name;
  }

  /** Writes a state. Never rejects. */
  keep(kept: Kept): Promise<Written> {
    return written(this.#keeper.keep(kept));
  }

  /**
   * Writes the last state, where that is not done yet, and whether the run came to its end; then
   * gives the folder up. Never rejects.
   */
  async end(kept: Kept | null, state: RunFile['state']): Promise<Written> {
    const done = await written(this.#keeper.end(kept, state));
    await this.#folder.close();
    return done;
  }
}

async function written(writing: Promise<string[]>): Promise<Written> {
  try {
    return { files: await writing, problem: null };
  } catch (error) {
    return { files: [], problem: findingOf(error) };
  }
}
