/**
 * A second thread of the lab for work on bytes that would block it: sums, reading, and writing to
 * the browser's private disk. It knows nothing of checkpoints.
 */
import { crc32 } from '#lib/file/crc32.ts';
import type { HelperReply, HelperTask } from './helper.ts';

/** Of OPFS, in dedicated workers only. */
interface SyncHandle {
  truncate(size: number): void;
  write(bytes: Uint8Array, options: { at: number }): number;
  flush(): void;
  close(): void;
}

/**
 * Bytes after which the disk is given its work, so that it does not all come at the end. Whoever
 * writes waits meanwhile: more often, and reading and summing would stand still with it.
 */
const FLUSH_EVERY = 128 * 2 ** 20;

let file: { handle: SyncHandle; size: number; flushed: number } | null = null;

self.onmessage = async ({ data: { id, task } }: MessageEvent<{ id: number; task: HelperTask }>) => {
  try {
    const reply = await perform(task);
    self.postMessage({ id, reply }, { transfer: reply ? [reply.buffer] : [] });
  } catch (error) {
    const { name, message } = error as Error;
    self.postMessage({ id, error: { name, message } });
  }
};

async function perform(task: HelperTask): Promise<HelperReply | undefined> {
  switch (task.kind) {
    case 'sum': {
      const { buffer } = task;
      return { buffer, crc: await crc32(new Uint8Array(buffer)) };
    }
    case 'read':
      return { buffer: await task.part.arrayBuffer() };
    case 'open': {
      const handle = await openSync(task.handle);
      handle.truncate(0);
      file = { handle, size: 0, flushed: 0 };
      return undefined;
    }
    case 'write': {
      if (!file) throw new Error('helper: no file is open');
      const { buffer, length } = task;
      const written = file.handle.write(new Uint8Array(buffer, 0, length), { at: file.size });
      if (written !== length) {
        const what = `helper: ${written} of ${length} bytes were written: the disk is full`;
        throw new DOMException(what, 'QuotaExceededError');
      }
      file.size += written;
      if (file.size - file.flushed >= FLUSH_EVERY) {
        file.handle.flush();
        file.flushed = file.size;
      }
      return { buffer };
    }
    case 'close': {
      const { handle } = file!;
      file = null;
      handle.flush();
      handle.close();
      return undefined;
    }
    default:
      return task satisfies never;
  }
}

function openSync(handle: FileSystemFileHandle): Promise<SyncHandle> {
  return (
    handle as unknown as { createSyncAccessHandle(): Promise<SyncHandle> }
  ).createSyncAccessHandle();
}
