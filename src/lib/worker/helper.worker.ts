/**
 * A second thread of the lab for work on bytes that would block it: sums, and writing to the
 * browser's private disk. It takes one task after the other and knows nothing of checkpoints.
 */
import { crc32 } from '#lib/file/crc32.ts';
import type { HelperReply, HelperTask } from './helper.ts';

/** Of OPFS, in dedicated workers only. */
interface SyncHandle {
  truncate(size: number): void;
  write(bytes: ArrayBuffer, options: { at: number }): number;
  flush(): void;
  close(): void;
}

let file: { handle: SyncHandle; size: number } | null = null;

self.onmessage = async ({ data: { id, task } }: MessageEvent<{ id: number; task: HelperTask }>) => {
  try {
    const { reply, moved } = await perform(task);
    self.postMessage({ id, reply }, { transfer: moved ? [moved] : [] });
  } catch (error) {
    const { name, message } = error as Error;
    self.postMessage({ id, error: { name, message } });
  }
};

async function perform(task: HelperTask): Promise<{ reply?: HelperReply; moved?: ArrayBuffer }> {
  switch (task.kind) {
    case 'sum': {
      const { buffer } = task;
      return { reply: { buffer, crc: await crc32(new Uint8Array(buffer)) }, moved: buffer };
    }
    case 'open': {
      const handle = await openSync(task.handle);
      handle.truncate(0);
      file = { handle, size: 0 };
      return {};
    }
    case 'write': {
      if (!file) throw new Error('helper: no file is open');
      const { buffer } = task;
      const written = file.handle.write(buffer, { at: file.size });
      if (written !== buffer.byteLength) {
        throw new Error(
          `helper: ${written} of ${buffer.byteLength} bytes were written: the disk is full`,
        );
      }
      file.size += written;
      buffer.transfer(0);
      return {};
    }
    case 'close': {
      const { handle } = file!;
      file = null;
      handle.flush();
      handle.close();
      return {};
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
