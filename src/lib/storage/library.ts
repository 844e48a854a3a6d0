/**
 * The library: checkpoints that a person keeps on the browser's private disk. Each lies in a folder
 * of its own, `library/ID`: its files by their numbers, and `entry.json`, written last, which says
 * what they are called. A folder without it was cut off, and goes once nobody writes it any more.
 * Another name is another entry.json; the files stay as they are.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import { ReadAhead, wholeOf } from '#lib/file/read_ahead.ts';
import type { Sink } from '#lib/file/sink.ts';
import { storageError } from './errors.ts';
import { ensureRoom, writeOpfs, type OpenFile } from './opfs.ts';
import { safeName } from './safe_name.ts';
import { writeVerified } from './verified.ts';

/** What is opened at once: a file, or the files of a folder by their paths in it. */
export interface KeptFiles {
  readonly name: string;
  readonly isFolder: boolean;
  readonly files: readonly { readonly path: string; readonly file: File }[];
  /** Which one of a folder's checkpoints is meant. */
  readonly choice?: number;
}

export interface LibraryEntry {
  readonly id: string;
  readonly name: string;
  readonly isFolder: boolean;
  readonly files: number;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly kept: number;
}

/** What was taken off the list and still has its files. */
export interface Removal {
  undo(): Promise<void>;
  end(): Promise<void>;
}

/** entry.json. */
interface Entry extends Pick<KeptFiles, 'name' | 'isFolder' | 'choice'> {
  readonly version: 1;
  readonly kept: number;
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
}

const LIBRARY = 'library';
const ENTRY = 'entry.json';

/** Writes a file of a folder, verified. */
export type WriteFile = (
  folder: FileSystemDirectoryHandle,
  name: string,
  write: (sink: Sink) => Promise<void>,
) => Promise<File>;

/** In a thread of its own where there is one, else as every browser can. */
export function fileWriter(openFile: OpenFile | undefined): WriteFile {
  if (openFile) return (folder, name, write) => writeOpfs(folder, name, write, openFile);
  return async (folder, name, write) =>
    writeVerified(await folder.getFileHandle(name, { create: true }), write);
}

export async function libraryFolder(): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return root.getDirectoryHandle(LIBRARY, { create: true });
}

export class Library {
  readonly #folder: FileSystemDirectoryHandle;
  readonly #write: WriteFile;

  constructor(folder: FileSystemDirectoryHandle, write: WriteFile) {
    this.#folder = folder;
    this.#write = write;
  }

  /** What is in it, the latest first. Removes what was cut off. */
  async entries(): Promise<LibraryEntry[]> {
    const found: LibraryEntry[] = [];
    for await (const [id, handle] of this.#folder.entries()) {
      if (handle.kind !== 'directory') continue;
      const entry = await readEntry(handle as FileSystemDirectoryHandle);
      if (entry) found.push(described(id, entry));
      else await this.#sweep(id);
    }
    return found.sort((a, b) => b.kept - a.kept);
  }

  /** Removes a folder that no tab is writing. */
  async #sweep(id: string): Promise<void> {
    await navigator.locks.request(lockName(id), { ifAvailable: true }, async (lock) => {
      const folder = lock && (await this.#folder.getDirectoryHandle(id).catch(() => null));
      if (!folder || (await readEntry(folder))) return;
      await this.#folder.removeEntry(id, { recursive: true }).catch(() => {}); // the next time
    });
  }

  /**
   * Copies files into the library, reads them back and compares. Nothing stays of what fails or is
   * cut off. Throws an Error where the browser does not grant the room.
   */
  async keep(
    kept: KeptFiles,
    { signal, onProgress }: { signal: AbortSignal; onProgress: (bytes: number) => void },
  ): Promise<LibraryEntry> {
    const total = kept.files.reduce((sum, { file }) => sum + file.size, 0);
    await ensureRoom(kept.name, total);
    const id = crypto.randomUUID();
    return navigator.locks.request(lockName(id), async () => {
      try {
        const folder = await this.#folder.getDirectoryHandle(id, { create: true });
        let bytes = 0;
        const count = (more: number) => onProgress((bytes += more));
        for (const [index, { file }] of kept.files.entries()) {
          await this.#write(folder, String(index), (sink) => copy(file, sink, signal, count));
        }
        signal.throwIfAborted();
        const entry: Entry = {
          version: 1,
          name: freeName(safeName(kept.name), await this.#names()),
          isFolder: kept.isFolder,
          ...(kept.choice !== undefined && { choice: kept.choice }),
          kept: Date.now(),
          files: kept.files.map(({ path, file }) => ({ path, bytes: file.size })),
        };
        await this.#writeEntry(folder, entry);
        return described(id, entry);
      } catch (error) {
        await this.#folder.removeEntry(id, { recursive: true }).catch(() => {}); // swept later
        throw storageError(error, kept.name);
      }
    });
  }

  /** The files of an entry, called as they were, and the first as the entry is called now. */
  async open(id: string): Promise<KeptFiles> {
    const { folder, entry } = await this.#entry(id);
    const { name, isFolder, choice } = entry;
    const files = await Promise.all(
      entry.files.map(async ({ path, bytes }, index) => {
        const stored = await (await folder.getFileHandle(String(index))).getFile();
        if (stored.size !== bytes) throw damaged(name, path, stored.size, bytes);
        // Another name for the same bytes: nothing is read.
        return { path, file: new File([stored], isFolder ? path.split('/').at(-1)! : name) };
      }),
    ).catch((error: unknown) => {
      throw storageError(error, name);
    });
    return { name, isFolder, files, ...(choice !== undefined && { choice }) };
  }

  async rename(id: string, name: string): Promise<LibraryEntry> {
    const { folder, entry } = await this.#entry(id);
    const wanted = name.trim();
    if (wanted === '' || safeName(wanted) !== wanted) {
      throw new FindingError({
        code: 'library-name',
        message: `library: no checkpoint can be called ${JSON.stringify(name)}`,
        advice: `Call it ${safeName(wanted)}, or something else without special characters.`,
      });
    }
    if (wanted !== entry.name && (await this.#names()).includes(wanted)) {
      throw new FindingError({
        code: 'library-name-taken',
        message: `library: there is a ${wanted} already`,
        advice: 'Choose another name.',
      });
    }
    const renamed = { ...entry, name: wanted };
    await this.#writeEntry(folder, renamed);
    return described(id, renamed);
  }

  /**
   * Takes an entry off the list; null where it is gone already. Its files stay until that is ended
   * or undone: as long, its lock is held, so that nobody sweeps a folder without an entry.json.
   */
  async remove(id: string): Promise<Removal | null> {
    const release = await holdLock(lockName(id));
    const folder = release && (await this.#folder.getDirectoryHandle(id).catch(() => null));
    const entry = folder && (await readEntry(folder));
    if (!entry) {
      release?.();
      return null;
    }
    const { name } = entry;
    const failed = (error: unknown) => {
      throw storageError(error, name);
    };
    const gone = (work: Promise<void>) =>
      work.catch((error: Error) => (error.name === 'NotFoundError' ? undefined : failed(error)));
    await gone(folder.removeEntry(ENTRY)).catch((error: unknown) => {
      release();
      throw error;
    });
    const restore = async () => {
      const free = freeName(name, await this.#names());
      await this.#writeEntry(folder, { ...entry, name: free }).catch(failed);
    };
    return {
      undo: () => restore().finally(release),
      end: () => gone(this.#folder.removeEntry(id, { recursive: true })).finally(release),
    };
  }

  async #names(): Promise<string[]> {
    return (await this.entries()).map(({ name }) => name);
  }

  async #entry(id: string): Promise<{ folder: FileSystemDirectoryHandle; entry: Entry }> {
    const folder = await this.#folder.getDirectoryHandle(id).catch(() => null);
    const entry = folder && (await readEntry(folder));
    if (entry) return { folder, entry };
    throw goneError();
  }

  async #writeEntry(folder: FileSystemDirectoryHandle, entry: Entry): Promise<void> {
    const bytes = new TextEncoder().encode(JSON.stringify(entry));
    await this.#write(folder, ENTRY, (sink) => sink.write(bytes));
  }
}

async function copy(
  file: File,
  sink: Sink,
  signal: AbortSignal,
  count: (bytes: number) => void,
): Promise<void> {
  for await (const piece of new ReadAhead([wholeOf(file)], signal).next()) {
    const { length } = piece; // the sink may keep the memory
    await sink.write(piece);
    count(length);
  }
}

/** What a folder of the library says of itself; null where that is nothing. */
async function readEntry(folder: FileSystemDirectoryHandle): Promise<Entry | null> {
  try {
    const file = await (await folder.getFileHandle(ENTRY)).getFile();
    const entry = JSON.parse(await file.text()) as Partial<Entry>;
    const isWhole = entry.version === 1 && typeof entry.name === 'string' && entry.files?.length;
    return isWhole ? (entry as Entry) : null;
  } catch {
    return null;
  }
}

function described(id: string, { name, isFolder, kept, files }: Entry): LibraryEntry {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return { id, name, isFolder, kept, bytes, files: files.length };
}

function damaged(name: string, path: string, size: number, expected: number): FindingError {
  return new FindingError({
    code: 'library-damaged',
    message: `library: ${path} of ${name} has ${size} bytes, ${expected} were kept`,
    advice: 'Delete it and keep the checkpoint again from where it came.',
  });
}

/** `last.pth`, or `last (2).pth` where there is one. */
export function freeName(name: string, taken: readonly string[]): string {
  if (!taken.includes(name)) return name;
  const dot = name.lastIndexOf('.') > 0 ? name.lastIndexOf('.') : name.length;
  for (let count = 2; ; count++) {
    const next = `${name.slice(0, dot)} (${count})${name.slice(dot)}`;
    if (!taken.includes(next)) return next;
  }
}

export function goneError(): FindingError {
  return new FindingError({
    code: 'library-gone',
    message: 'library: this checkpoint is not there any more',
    advice: 'It may have been deleted in another tab, or by the browser to make room.',
  });
}

/** Holds a lock until the function that it gives is called; null where another has it. */
function holdLock(name: string): Promise<(() => void) | null> {
  return new Promise((held, failed) => {
    const hold = async (lock: Lock | null) => {
      if (!lock) return held(null);
      await new Promise<void>((release) => held(release));
    };
    navigator.locks.request(name, { ifAvailable: true }, hold).catch(failed);
  });
}

function lockName(id: string): string {
  return `weightroom:library:${id}`;
}
