/**
 * The browser's private disk (OPFS). A file is written under a temporary name by a thread that may
 * block on the disk, closed, read back and compared, and only then given its name: whatever stops
 * the browser on the way, a file that has its name is whole.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Sink } from '#lib/file/sink.ts';
import { summedSink, verify, writeVerified, type Check } from './verified.ts';

/** A file that is being written. */
export interface WrittenFile extends Sink {
  /** When it is fulfilled, all bytes are on the disk. */
  close(): Promise<void>;
}
/** Opens a file for writing from its first byte on, whatever it held before. */
export type OpenFile = (handle: FileSystemFileHandle) => Promise<WrittenFile>;

/** Not in TypeScript's library yet; every browser with OPFS has it there. */
export interface Movable {
  move?(folder: FileSystemDirectoryHandle, name: string): Promise<void>;
}

export const TEMPORARY = '.tmp';
/** What Chromium leaves of a `createWritable` that was cut off. */
const SWAP = '.crswap';
const LEFT_OVER = /(\.tmp|\.crswap)$/;

/**
 * Writes a file through `write`. Two writers of one name wait for one another, in other tabs too.
 * Where anything fails, the file that had the name before is as it was.
 */
export async function writeOpfs(
  folder: FileSystemDirectoryHandle,
  name: string,
  write: (sink: Sink) => Promise<void>,
  open: OpenFile,
  check?: Check,
): Promise<File> {
  return navigator.locks.request(`weightroom:${name}`, async () => {
    const handle = await folder.getFileHandle(name + TEMPORARY, { create: true });
    const { move } = handle as Movable;
    if (!move) {
      await folder.removeEntry(name + TEMPORARY);
      return writeVerified(await folder.getFileHandle(name, { create: true }), write, check);
    }
    try {
      await writeClosed(handle, write, open, check);
      await move.call(handle, folder, name);
    } catch (error) {
      await folder.removeEntry(name + TEMPORARY).catch(() => {}); // swept up later
      throw error;
    }
    return (await folder.getFileHandle(name)).getFile();
  });
}

/** Writes a file in a thread that may block, closes it, reads it back. Throws if it differs. */
export async function writeClosed(
  handle: FileSystemFileHandle,
  write: (sink: Sink) => Promise<void>,
  open: OpenFile,
  check: Check = verify,
): Promise<File> {
  const written = await open(handle);
  const { sink, sum } = summedSink(written);
  try {
    await write(sink);
  } finally {
    await written.close();
  }
  const file = await handle.getFile();
  await check(file, sum);
  return file;
}

/**
 * Removes what writers that were cut off have left in a folder: everything, or what they left of
 * the files that are `ours`.
 */
export async function sweep(
  folder: FileSystemDirectoryHandle,
  ours: (name: string) => boolean = () => true,
): Promise<void> {
  for await (const name of folder.keys()) {
    const file = name.replace(SWAP, '').replace(TEMPORARY, '');
    if (LEFT_OVER.test(name) && ours(file)) {
      await folder.removeEntry(name).catch(() => {}); // another tab is writing it
    }
  }
}

/** Folder for files on their way to a download. */
const OUTBOX = 'outbox';
/** Milliseconds that the browser is given to copy a file to the downloads. */
const DOWNLOAD_TIME = 60 * 60 * 1000;

/** Name of the file that is open: it may be one that was downloaded before. */
let inUse: string | null = null;

/** The file of that name is neither swept nor written over, as long as no other one is in use. */
export function useInOutbox(name: string): void {
  inUse = name;
}

/** The name under which a download lies there: not that of the file that is in use. */
export function nameInOutbox(name: string): string {
  return name === inUse ? name.replace(/(\.[^.]*)?$/, ' (2)$1') : name;
}

/** The folder to write downloads into, without those that were fetched long ago. */
export async function outbox(): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle(OUTBOX, { create: true });
  await sweep(folder);
  for await (const [name, handle] of folder.entries()) {
    if (handle.kind !== 'file' || name === inUse) continue;
    const { lastModified } = await (handle as FileSystemFileHandle).getFile();
    if (Date.now() - lastModified > DOWNLOAD_TIME) await folder.removeEntry(name).catch(() => {});
  }
  return folder;
}

/** What lies there: downloads that the browser is copying, or that were cut off. */
export async function outboxSize(): Promise<{ files: number; bytes: number }> {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle(OUTBOX).catch(() => null);
  const size = { files: 0, bytes: 0 };
  for await (const handle of folder?.values() ?? []) {
    if (handle.kind !== 'file') continue;
    size.files++;
    size.bytes += (await (handle as FileSystemFileHandle).getFile()).size;
  }
  return size;
}

/** Removes all of it but what is being written now, or in use. */
export async function clearOutbox(): Promise<void> {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle(OUTBOX).catch(() => null);
  for await (const name of folder?.keys() ?? []) {
    if (name !== inUse) await folder!.removeEntry(name).catch(() => {});
  }
}

/** Throws a FindingError where the browser does not grant the bytes. */
export async function ensureRoom(name: string, bytes: number): Promise<void> {
  const { quota, usage } = await navigator.storage.estimate();
  if (quota === undefined || usage === undefined || bytes <= quota - usage) return;
  const megabytes = (count: number) => `${Math.max(0, Math.round(count / 1e6))} MB`;
  throw new FindingError({
    code: 'storage-room',
    message: `storage: ${name} needs ${megabytes(bytes)}, the browser grants ${megabytes(quota - usage)} on its own disk`,
    advice: 'Free some space, or save to a folder of your choice.',
  });
}
