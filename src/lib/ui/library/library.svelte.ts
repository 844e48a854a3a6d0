import { download } from '#lib/storage/download.ts';
import { keepStorage } from '#lib/storage/persist.ts';
import type { Dropped, LibraryEntry, LibraryFacts, Result } from '#lib/worker/protocol.ts';
import type { Desk } from '../desk.ts';
import { words } from './words.ts';

/** Checkpoints on the browser's private disk: what the page knows of them, and what it asks for. */
export class LibraryState {
  /** Null before anybody has looked, and where the browser has no such disk. */
  facts = $state.raw<LibraryFacts | null>(null);
  /** Whether something is being written. */
  writing = $state(false);
  readonly #desk: Desk;

  /** Bytes that may still be written. */
  readonly free = $derived.by(() => {
    const { usage = null, quota = null } = this.facts ?? {};
    return usage === null || quota === null ? null : Math.max(0, quota - usage);
  });

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  async refresh(): Promise<void> {
    const result = await this.#desk.client.call('library', {}).catch(() => null);
    if (result?.ok) this.facts = result.library;
  }

  /** Copies what is open, streamed and compared. */
  async keep(dropped: Dropped, name: string): Promise<void> {
    this.writing = true;
    void keepStorage();
    const failure = words.notKept(name);
    const result = await this.#desk.tasks
      .run(words.keeping(name), failure, (task) =>
        this.#desk.client.call(
          'libraryKeep',
          { dropped },
          {
            signal: task.signal,
            onProgress: ({ bytes, total }) => task.transferred(bytes, total),
          },
        ),
      )
      .finally(() => (this.writing = false));
    if (result) this.#desk.problems.check(failure, result);
    await this.refresh();
  }

  /** The files of an entry; null where that fails, which has been said. */
  async open({ id, name }: LibraryEntry): Promise<Dropped | null> {
    const failure = words.notOpened(name);
    const result = await this.#run(failure, () => this.#desk.client.call('libraryOpen', { id }));
    return result?.dropped ?? null;
  }

  /** Hands its files to the browser's downloads. */
  async download(entry: LibraryEntry): Promise<void> {
    const dropped = await this.open(entry);
    if (!dropped) return;
    if ('file' in dropped) return download(dropped.file, dropped.file.name);
    for (const { file, path } of dropped.files) download(file, path.replaceAll('/', '_'));
  }

  async rename({ id, name }: LibraryEntry, to: string): Promise<boolean> {
    const result = await this.#run(words.notRenamed(name), () =>
      this.#desk.client.call('libraryRename', { id, name: to }),
    );
    await this.refresh();
    return result !== null;
  }

  /** Takes it off the list; its files go when that is not undone. */
  async remove({ id, name }: LibraryEntry): Promise<void> {
    const { client, notices } = this.#desk;
    const failure = words.notRemoved(name);
    const isRemoved = await this.#run(failure, () => client.call('libraryRemove', { id }));
    await this.refresh();
    if (!isRemoved) return;
    const end = async (undo: boolean) => {
      await this.#run(undo ? words.notRestored(name) : failure, () =>
        client.call('libraryEndRemoval', { id, undo }),
      );
      await this.refresh();
    };
    notices.add(words.removed(name), { undo: () => end(true), end: () => end(false) });
  }

  async clearOutbox(): Promise<void> {
    await this.#run(words.notCleared, () => this.#desk.client.call('clearOutbox', {}));
    await this.refresh();
  }

  /** Asks the browser not to clear its disk. */
  async makeLasting(): Promise<void> {
    if (!(await keepStorage())) {
      const finding = { code: 'library.passing', severity: 'info' } as const;
      const { refused: message, refusedAdvice: advice } = words;
      this.#desk.problems.add(words.refusedTitle, [{ ...finding, message, advice }]);
    }
    await this.refresh();
  }

  async #run<T>(
    failure: string,
    work: () => Promise<Result<T>>,
  ): Promise<({ readonly ok: true } & T) | null> {
    try {
      const result = await work();
      return this.#desk.problems.check(failure, result) ? result : null;
    } catch (error) {
      this.#desk.problems.defect(failure, error);
      return null;
    }
  }
}
