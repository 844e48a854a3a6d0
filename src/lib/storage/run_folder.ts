/**
 * The folder of a training run: on the browser's own disk, or one that the person picked. A file is
 * written under a temporary name, closed, read back, judged by whoever wrote it, and only then
 * given its name, so that whatever stops the browser on the way, the file before stands.
 *
 * Some browsers cannot rename files of picked folders. There, a new version gets a name of its own,
 * `last.v2.pt` beside `last.pt`, and the versions before go when it is known to be good; a folder
 * that has begun with that goes on with it. The highest number is the newest, no number the oldest.
 */
import type { Sink } from '#lib/file/sink.ts';
import { storageError } from './errors.ts';
import { sweep, TEMPORARY, writeClosed, type Movable, type OpenFile } from './opfs.ts';
import { writeVerified } from './verified.ts';

export interface RunFolderOptions {
  /** Names the lock: one writer for each run, in all tabs. */
  readonly id: string;
  /** Whether a file belongs to the run; what else lies in the folder is left alone. */
  isOurs(name: string): boolean;
  /** Opens files of the browser's own disk in a thread of their own; not for picked folders. */
  readonly openFile?: OpenFile;
}

/** Writes a file; may be called again where the first way does not work out. */
export type Write = (sink: Sink) => Promise<void>;

export class RunFolder {
  readonly directory: FileSystemDirectoryHandle;
  readonly #openFile: OpenFile | undefined;
  readonly #release: () => Promise<void>;
  #canMove = true;

  private constructor(
    directory: FileSystemDirectoryHandle,
    release: () => Promise<void>,
    openFile: OpenFile | undefined,
  ) {
    this.directory = directory;
    this.#release = release;
    this.#openFile = openFile;
  }

  /**
   * Takes the run's lock and removes what a writer that was cut off has left. Throws a
   * FindingError where another tab has the run, or the folder cannot be written.
   */
  static async open(
    directory: FileSystemDirectoryHandle,
    { id, isOurs, openFile }: RunFolderOptions,
  ): Promise<RunFolder> {
    const release = await takeLock(id, directory.name);
    try {
      await sweep(directory, (name) => isOurs(versionOf(name).name));
      return new RunFolder(directory, release, openFile);
    } catch (error) {
      await release();
      throw storageError(error, directory.name);
    }
  }

  /** Gives the lock back. Nothing may be written after that. */
  close(): Promise<void> {
    return this.#release();
  }

  /**
   * Writes a file. Resolves when it has its name: then it was read back as it was written, and
   * `judge`, which gets it before that, had nothing against it. Rejects with a FindingError, and
   * with the file as it was before.
   */
  async write(
    name: string,
    write: Write,
    judge: (file: File) => Promise<void> = async () => {},
  ): Promise<File> {
    try {
      const versions = await this.#versions(name);
      const newest = versions[0]?.version ?? 0;
      const target = newest > 0 ? versionName(name, newest + 1) : name;
      const file =
        (await this.#writeMoved(target, write, judge)) ??
        (await this.#writeNew(versionName(name, newest + 1), write, judge));
      for (const old of versions) {
        if (old.file !== file.name) await this.#removeEntry(old.file);
      }
      return file;
    } catch (error) {
      throw storageError(error, name);
    }
  }

  /** Under a temporary name, then renamed. Null where this folder's files cannot be renamed. */
  async #writeMoved(
    target: string,
    write: Write,
    judge: (file: File) => Promise<void>,
  ): Promise<File | null> {
    if (!this.#canMove) return null;
    const temporary = target + TEMPORARY;
    const handle = await this.directory.getFileHandle(temporary, { create: true });
    try {
      const { move } = handle as Movable;
      if (move) {
        await judge(await this.#writeInto(handle, write));
        try {
          await move.call(handle, this.directory, target);
          return await (await this.directory.getFileHandle(target)).getFile();
        } catch {
          // Refused for this kind of folder, or for a reason that the other way meets as well.
        }
      }
      this.#canMove = false;
      return null;
    } finally {
      await this.#removeEntry(temporary);
    }
  }

  /** Under a name that no file has yet. */
  async #writeNew(
    target: string,
    write: Write,
    judge: (file: File) => Promise<void>,
  ): Promise<File> {
    const handle = await this.directory.getFileHandle(target, { create: true });
    try {
      const file = await this.#writeInto(handle, write);
      await judge(file);
      return file;
    } catch (error) {
      await this.#removeEntry(target);
      throw error;
    }
  }

  #writeInto(handle: FileSystemFileHandle, write: Write): Promise<File> {
    return this.#openFile
      ? writeClosed(handle, write, this.#openFile)
      : writeVerified(handle, write);
  }

  /** Removes a file that nothing depends on any more; what stays is swept up later. */
  async #removeEntry(file: string): Promise<void> {
    await this.directory.removeEntry(file).catch(() => {});
  }

  /** Every file by its name without a version, each name once. */
  async names(): Promise<string[]> {
    const files = await runEntries(this.directory);
    return [...new Set(files.map(({ name }) => name))];
  }

  /** The versions of a file, the newest first; empty where there is none. */
  async files(name: string): Promise<File[]> {
    return runFiles(this.directory, name);
  }

  /** Removes a file, all versions of it. */
  async remove(name: string): Promise<void> {
    try {
      for (const { file } of await this.#versions(name)) await this.directory.removeEntry(file);
    } catch (error) {
      throw storageError(error, name);
    }
  }

  async #versions(name: string): Promise<RunEntry[]> {
    return (await runEntries(this.directory)).filter((entry) => entry.name === name);
  }
}

interface RunEntry {
  /** Without the version: `last.pt`. */
  readonly name: string;
  /** As it is called in the folder: `last.v2.pt`. */
  readonly file: string;
  readonly version: number;
}

/** The files of a folder that are no temporary ones, the newest version of each name first. */
export async function runEntries(directory: FileSystemDirectoryHandle): Promise<RunEntry[]> {
  const entries: RunEntry[] = [];
  try {
    for await (const [file, { kind }] of directory.entries()) {
      if (kind === 'file' && !file.endsWith(TEMPORARY)) entries.push({ file, ...versionOf(file) });
    }
  } catch (error) {
    throw storageError(error, directory.name);
  }
  return entries.sort((a, b) => b.version - a.version);
}

/** The versions of a file in a run's folder, the newest first. Takes no lock. */
export function runFiles(directory: FileSystemDirectoryHandle, name: string): Promise<File[]> {
  return filesIn(directory, (file) => file === name);
}

/** All files of a folder whose names, without versions, are `wanted`. Takes no lock. */
export async function filesIn(
  directory: FileSystemDirectoryHandle,
  wanted: (name: string) => boolean,
): Promise<File[]> {
  const files: File[] = [];
  for (const { name, file } of await runEntries(directory)) {
    if (!wanted(name)) continue;
    try {
      files.push(await (await directory.getFileHandle(file)).getFile());
    } catch (error) {
      // A writer in another tab may just have put a newer one in its place.
      if ((error as Error).name !== 'NotFoundError') throw storageError(error, name);
    }
  }
  return files;
}

function versionOf(file: string): { name: string; version: number } {
  const found = /^(.+)\.v(\d{1,9})(\.[^.]+)$/.exec(file);
  return found
    ? { name: found[1]! + found[3]!, version: Number(found[2]) }
    : { name: file, version: 0 };
}

function versionName(name: string, version: number): string {
  const dot = name.lastIndexOf('.');
  return `${name.slice(0, dot)}.v${version}${name.slice(dot)}`;
}

/** Milliseconds until the lock of a tab that was closed, or of a worker that died, is free. */
const LETTING_GO = 1000;

/** Whether another tab, or this one, has the run's lock, and keeps it. */
export async function isRunOpen(id: string): Promise<boolean> {
  for (const end = Date.now() + LETTING_GO; ;) {
    const { held = [] } = await navigator.locks.query();
    if (!held.some(({ name }) => name === lockName(id))) return false;
    if (Date.now() >= end) return true;
    await new Promise((resolve) => setTimeout(resolve, LETTING_GO / 10));
  }
}

function lockName(id: string): string {
  return `weightroom:run:${id}`;
}

/** Holds the lock of a run until what it gives is called, which resolves when it is free again. */
function takeLock(id: string, folder: string): Promise<() => Promise<void>> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(LETTING_GO);
    const hold = () =>
      new Promise<void>((release) =>
        resolve(() => {
          release();
          return request;
        }),
      );
    const request = navigator.locks.request(lockName(id), { signal }, hold);
    request.catch(() => reject(storageError({ name: 'LockedError' }, folder) as Error));
  });
}
