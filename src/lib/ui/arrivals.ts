/**
 * The ways that files come in: dropped, picked, from the list of recent ones, from the library, and
 * by the system, which starts the app with them. What becomes of them, the lab decides.
 */
import { pickDirectory, pickFiles } from '#lib/storage/picker.ts';
import type { RecentFiles } from '#lib/storage/recent.ts';
import { takeShared } from '#lib/storage/shared.ts';
import type { LibraryEntry, Result } from '#lib/worker/protocol.ts';
import { droppedOf, readDrop, readPicked, type Pile } from './dropped.ts';
import type { Lab } from './lab.svelte.ts';
import type { Purpose } from './piles.ts';
import { words } from './words.ts';

/** Not in TypeScript's library: installed apps of Chromium have it. */
interface LaunchQueue {
  setConsumer(take: (launch: { files: readonly FileSystemHandle[] }) => void): void;
}

export class Arrivals {
  readonly #lab: Lab;

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  /**
   * Opens what was dropped, or only looks into it; `source` and `data` say what it is taken for
   * where it may be several things. Called while the event is handled, which alone has the files.
   */
  async take(transfer: DataTransfer, how: Purpose | 'scan'): Promise<void> {
    const scan = async (pile: Pile) => {
      const dropped = droppedOf(pile);
      if (dropped) await this.#lab.safety.scan(dropped);
    };
    await this.#read(
      words.arriving.dropUnread,
      (signal) => readDrop(transfer, signal),
      how === 'scan' ? scan : (pile) => this.#lab.openPile(pile, how),
    );
  }

  /** Has the person pick files, and opens them. */
  async pickFiles(how: Purpose = 'open'): Promise<void> {
    const failure = words.arriving.filesUnread;
    try {
      const picked = await pickFiles();
      if (!picked) return;
      const files = picked.filter((it) => it instanceof File);
      if (files.length > 0) return await this.#lab.openPile({ files, folders: [] }, how);
      await this.open(picked as FileSystemFileHandle[], failure, how);
    } catch (error) {
      this.#lab.problems.defect(failure, error);
    }
  }

  /** Has the person pick a folder, and opens it, or takes it as the model's source or as data. */
  async pickFolder(how: Purpose = 'open'): Promise<void> {
    const failure = words.arriving.folderUnread;
    try {
      const folder = await pickDirectory('read');
      if (!folder) return;
      await this.#read(
        failure,
        (signal) => readPicked([folder], signal),
        (pile) => this.takeFolder(pile, how),
      );
    } catch (error) {
      this.#lab.problems.defect(failure, error);
    }
  }

  /** A folder that was chosen for what it holds. */
  async takeFolder(pile: Pile, how: Purpose): Promise<unknown> {
    return how === 'source' ? this.#lab.openSource(pile) : this.#lab.openPile(pile, how);
  }

  /** Opens the files and folders behind handles that may be read. */
  async open(
    handles: readonly FileSystemHandle[],
    failure: string,
    how: Purpose = 'open',
  ): Promise<void> {
    await this.#read(
      failure,
      (signal) => readPicked(handles, signal),
      (pile) => this.#lab.openPile(pile, how),
    );
  }

  /** Opens what the system starts the app with, or shares with it. */
  async receive(): Promise<void> {
    const { launchQueue } = globalThis as { launchQueue?: LaunchQueue };
    launchQueue?.setConsumer(({ files }) => {
      if (files.length > 0) void this.open(files, words.arriving.launchUnread);
    });
    if (!new URLSearchParams(location.search).has('shared')) return;
    const files = await takeShared().catch(() => []);
    if (files.length > 0) await this.#lab.openPile({ files, folders: [] });
  }

  /** Opens what was open in an earlier visit; asks the person, so it must follow a click. */
  async openRecent(recent: RecentFiles, how: Purpose = 'open'): Promise<void> {
    if (recent.handles.length === 0) return this.pickFiles();
    if (await this.#lab.recent.mayRead(recent)) {
      await this.open(recent.handles, words.opening.failed(recent.name), how);
    }
  }

  async openKept(entry: LibraryEntry): Promise<void> {
    const dropped = await this.#lab.library.open(entry);
    if (dropped && (await this.#lab.openCheckpoint(dropped))) this.#lab.go('/checkpoint');
  }

  async #read(
    failure: string,
    read: (signal: AbortSignal) => Promise<Result<{ pile: Pile }>>,
    use: (pile: Pile) => Promise<unknown>,
  ): Promise<void> {
    const { tasks, problems } = this.#lab;
    const result = await tasks.run(words.arriving.reading, failure, ({ signal }) => read(signal));
    if (result && problems.check(failure, result)) await use(result.pile);
  }
}
