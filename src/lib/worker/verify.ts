/** Reads every byte of a checkpoint once. */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { storageRange } from '#lib/checkpoint/read_tensor.ts';
import { ReadAhead } from '#lib/file/read_ahead.ts';
import { isMeta } from '#lib/checkpoint/tensor.ts';
import { tensorsIn } from '#lib/inspect/walk.ts';
import type { CallContext } from './lab.state.ts';
import { paced } from './paced.ts';
import type { Verified } from './protocol.ts';

/** Reads each storage from its first to its last byte; a checksum that differs is an Error. */
export async function verifyCheckpoint(
  checkpoint: Checkpoint,
  { signal, progress }: CallContext<'verify'>,
): Promise<Verified> {
  const started = performance.now();
  const all = new Set([...tensorsIn(checkpoint.root)].map(({ tensor }) => tensor.storage));
  const storages = [...all].filter((storage) => !isMeta(storage));
  const total = storages.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const report = paced(progress);
  let bytes = 0;
  for await (const chunk of new ReadAhead(storages.map(storageRange), signal).next()) {
    bytes += chunk.byteLength;
    report({ bytes, total }, bytes === total);
  }
  return {
    bytes,
    seconds: (performance.now() - started) / 1000,
    storages: storages.length,
    checksums: storages.filter(({ checksum }) => checksum).length,
  };
}
