/**
 * Writing so that the old file stays good until the new one is whole, and is known to be whole.
 * `createWritable` writes beside the target and swaps on close; then the file is read back and its
 * CRC-32 compared with what was written.
 */
import { crc32 } from '#lib/file/crc32.ts';
import type { Sink } from '#lib/file/sink.ts';
import { blobSource, type Source } from '#lib/file/source.ts';

/** Bytes read at once when a written file is verified. */
const CHUNK = 8 * 2 ** 20;

/** Writes through `write` into `handle`, reads it back, gives the file. Throws if it differs. */
export async function writeVerified(
  handle: FileSystemFileHandle,
  write: (sink: Sink) => Promise<void>,
): Promise<File> {
  const stream = await handle.createWritable();
  let crc = 0;
  let size = 0;
  try {
    await write({
      async write(bytes) {
        crc = crc32(bytes, crc);
        size += bytes.byteLength;
        await stream.write(bytes as Uint8Array<ArrayBuffer>);
      },
    });
    await stream.close();
  } catch (error) {
    await stream.abort().catch(() => {}); // already broken: the old file stands
    throw error;
  }
  const file = await handle.getFile();
  await verify(blobSource(file), size, crc);
  return file;
}

async function verify(source: Source, size: number, crc: number): Promise<void> {
  let read = 0;
  for (let at = 0; at < source.size; at += CHUNK) {
    read = crc32(await source.read(at, Math.min(at + CHUNK, source.size)), read);
  }
  if (source.size !== size || read !== crc) {
    throw new Error(
      `storage: ${source.name} reads back as ${source.size} bytes that differ from the ${size} written: the disk is full or failing; save it elsewhere`,
    );
  }
}

/** Folder of the browser's private disk for files on their way to a download. */
const OUTBOX = 'outbox';

/** A private file to write a download into; what earlier downloads left there is removed first. */
export async function temporaryHandle(name: string): Promise<FileSystemFileHandle> {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry(OUTBOX, { recursive: true }).catch(() => {}); // none there, or in use
  const folder = await root.getDirectoryHandle(OUTBOX, { create: true });
  return folder.getFileHandle(name, { create: true });
}
