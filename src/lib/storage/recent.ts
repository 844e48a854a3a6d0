/**
 * What was opened last. Where the browser gives handles of files, they open them again, once the
 * person has allowed it anew; elsewhere the list is a reminder.
 */
import { database } from './database.ts';

export interface RecentFiles {
  readonly id: string;
  /** Of the checkpoint. */
  readonly name: string;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly opened: number;
  /** Of all that was opened at once, a source or data with it; none where there are none. */
  readonly handles: readonly FileSystemHandle[];
}

/** The list is for the eye. */
const MOST = 10;

/** The latest first; none where the browser keeps no databases. */
export async function recentFiles(): Promise<RecentFiles[]> {
  try {
    const all = await (await database()).getAll('recent');
    return all.sort((a, b) => b.opened - a.opened);
  } catch {
    return [];
  }
}

/** Puts what was opened at the top of the list, in the place of what is the same. */
export async function noteRecent(files: Omit<RecentFiles, 'id'>): Promise<void> {
  const before = await recentFiles();
  const db = await database();
  await db.put('recent', { id: crypto.randomUUID(), ...files });
  const same = await Promise.all(before.map((it) => isSame(it, files)));
  const kept = before.filter((_, index) => !same[index]);
  for (const { id } of before.filter(
    (it) => kept.indexOf(it) < 0 || kept.indexOf(it) >= MOST - 1,
  )) {
    await db.delete('recent', id);
  }
}

export async function forgetRecent(id: string): Promise<void> {
  await (await database()).delete('recent', id);
}

async function isSame(
  one: Pick<RecentFiles, 'name' | 'bytes' | 'handles'>,
  two: Pick<RecentFiles, 'name' | 'bytes' | 'handles'>,
): Promise<boolean> {
  if (one.handles.length !== two.handles.length) return false;
  if (one.handles.length === 0) return one.name === two.name && one.bytes === two.bytes;
  const same = await Promise.all(
    one.handles.map((handle, index) => handle.isSameEntry(two.handles[index]!)),
  );
  return same.every(Boolean);
}
