/**
 * Folders that the person picked, remembered for the next start: a handle outlives the page in
 * IndexedDB, its permission does not, and has to be asked for again.
 */
import { database } from './database.ts';

/** A folder and what was last known of the run in it, which can be read without a permission. */
export interface RememberedFolder {
  readonly id: string;
  readonly handle: FileSystemDirectoryHandle;
  /** run.json as it was written last. */
  readonly run: string;
}

export async function rememberFolder(folder: RememberedFolder): Promise<void> {
  await (await database()).put('folders', folder);
}

export async function forgetFolder(id: string): Promise<void> {
  await (await database()).delete('folders', id);
}

/** None, where the browser keeps no databases. */
export async function rememberedFolders(): Promise<RememberedFolder[]> {
  try {
    return await (await database()).getAll('folders');
  } catch {
    return [];
  }
}

/** Not in TypeScript's library yet. */
interface WithPermission {
  queryPermission?(descriptor: { mode: 'read' | 'readwrite' }): Promise<PermissionState>;
}

/** Whether the folder may be written now; the browser's own disk always may. */
export async function mayWrite(handle: FileSystemDirectoryHandle): Promise<boolean> {
  const { queryPermission } = handle as unknown as WithPermission;
  const state = await queryPermission?.call(handle, { mode: 'readwrite' });
  return state === undefined || state === 'granted';
}
