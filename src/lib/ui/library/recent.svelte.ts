import { allowed } from '#lib/storage/picker.ts';
import { forgetRecent, noteRecent, recentFiles, type RecentFiles } from '#lib/storage/recent.ts';
import type { Desk } from '../desk.ts';
import { words } from './words.ts';

/** What was opened last. */
export class RecentState {
  list = $state.raw<readonly RecentFiles[]>([]);
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  async refresh(): Promise<void> {
    this.list = await recentFiles();
  }

  /** Remembers the checkpoint that was opened; a browser that keeps nothing is no problem. */
  async note(
    opened: { readonly name: string; readonly size: number },
    handles: Promise<readonly FileSystemHandle[]> | undefined,
  ): Promise<void> {
    const known = await handles?.catch(() => []);
    const files = { name: opened.name, bytes: opened.size, opened: Date.now() };
    await noteRecent({ ...files, handles: known ?? [] }).catch(() => {});
    await this.refresh();
  }

  async forget(id: string): Promise<void> {
    await forgetRecent(id).catch(() => {});
    await this.refresh();
  }

  async forgetAll(): Promise<void> {
    for (const { id } of this.list) await forgetRecent(id).catch(() => {});
    await this.refresh();
  }

  /** Whether its files are there and may be read; asks, and says why not. */
  async mayRead({ id, name, handles }: RecentFiles): Promise<boolean> {
    try {
      for (const handle of handles) {
        if (!(await allowed(handle, 'read'))) {
          return this.#refuse(name, 'recent.denied', words.denied(name), words.deniedAdvice);
        }
        if (handle.kind === 'file') await (handle as FileSystemFileHandle).getFile();
        else await (handle as FileSystemDirectoryHandle).keys().next();
      }
      return true;
    } catch (error) {
      if ((error as Error).name !== 'NotFoundError') throw error;
      await this.forget(id);
      return this.#refuse(name, 'recent.gone', words.gone(name), words.goneAdvice);
    }
  }

  #refuse(name: string, code: string, message: string, advice: string): false {
    const finding = { code, severity: 'error', message, advice } as const;
    this.#desk.problems.add(words.notOpened(name), [finding]);
    return false;
  }
}
