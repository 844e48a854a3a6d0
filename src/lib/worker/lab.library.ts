/** Checkpoints that are kept on the browser's private disk. */
import {
  fileWriter,
  goneError,
  Library,
  libraryFolder,
  type KeptFiles,
  type Removal,
} from '#lib/storage/library.ts';
import { clearOutbox, outboxSize } from '#lib/storage/opfs.ts';
import { attempt, type Handlers, type LabState } from './lab.state.ts';
import { paced } from './paced.ts';
import type { LibraryCalls, LibraryFacts } from './protocol.library.ts';
import type { Dropped } from './protocol.open.ts';

export function libraryHandlers({ openFile }: LabState): Handlers<keyof LibraryCalls> {
  const library = async () => new Library(await libraryFolder(), fileWriter(openFile));
  /** What can still be undone. */
  const removals = new Map<string, Removal>();
  return {
    library: (_, { signal }) =>
      attempt(signal, async () => ({ library: await factsOf(await library()) })),
    libraryKeep: ({ dropped }, { signal, progress }) =>
      attempt(signal, async () => {
        const kept = filesOf(dropped);
        const total = kept.files.reduce((sum, { file }) => sum + file.size, 0);
        const report = paced(progress);
        const onProgress = (bytes: number) => report({ bytes, total });
        return { entry: await (await library()).keep(kept, { signal, onProgress }) };
      }),
    libraryOpen: ({ id }, { signal }) =>
      attempt(signal, async () => ({ dropped: droppedOf(await (await library()).open(id)) })),
    libraryRename: ({ id, name }, { signal }) =>
      attempt(signal, async () => ({ entry: await (await library()).rename(id, name) })),
    libraryRemove: ({ id }, { signal }) =>
      attempt(signal, async () => {
        const removal = await (await library()).remove(id);
        if (removal) removals.set(id, removal);
        return {};
      }),
    libraryEndRemoval: ({ id, undo }, { signal }) =>
      attempt(signal, async () => {
        const removal = removals.get(id);
        removals.delete(id);
        if (undo && !removal) throw goneError();
        await (undo ? removal?.undo() : removal?.end());
        return {};
      }),
    clearOutbox: (_, { signal }) =>
      attempt(signal, async () => {
        await clearOutbox();
        return {};
      }),
  };
}

async function factsOf(library: Library): Promise<LibraryFacts> {
  const { storage } = navigator;
  const { usage = null, quota = null } = await storage.estimate();
  return {
    entries: await library.entries(),
    outbox: await outboxSize(),
    usage,
    quota,
    isPersistent: await storage.persisted(),
  };
}

function filesOf(dropped: Dropped): KeptFiles {
  if ('file' in dropped) {
    const { file } = dropped;
    return { name: file.name, isFolder: false, files: [{ path: file.name, file }] };
  }
  return { ...dropped, isFolder: true };
}

function droppedOf({ name, isFolder, files, choice }: KeptFiles): Dropped {
  if (!isFolder) return { file: files[0]!.file };
  return { name, files: [...files], ...(choice !== undefined && { choice }) };
}
