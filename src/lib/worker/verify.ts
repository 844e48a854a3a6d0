/** Reads every byte of a checkpoint once. */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { storageRange } from '#lib/checkpoint/read_tensor.ts';
import { ReadAhead } from '#lib/file/read_ahead.ts';
import { isMeta } from '#lib/checkpoint/tensor.ts';
import { tensorsIn } from '#lib/inspect/walk.ts';
import type { CallContext } from './lab.ts';
import type { Verified } from './protocol.ts';

/** Milliseconds between two reports: more often is not seen, and each one is a message. */
const REPORT_EVERY = 50;

/** Reads each storage from its first to its last byte; a checksum that differs is an Error. */
export async function verifyCheckpoint(
  checkpoint: Checkpoint,
  { signal, progress }: CallContext<'verify'>,
): Promise<Verified> {
  const started = performance.now();
  const all = new Set([...tensorsIn(checkpoint.root)].map(({ tensor }) => tensor.storage));
  const storages = [...all].filter((storage) => !isMeta(storage));
  const total = storages.reduce((sum, { byteLength }) => sum + byteLength, 0);
  let bytes = 0;
  let reported = -Infinity;
  for await (const chunk of new ReadAhead(storages.map(storageRange), signal).next()) {
    bytes += chunk.byteLength;
    if (performance.now() - reported < REPORT_EVERY && bytes < total) continue;
    reported = performance.now();
    progress({ bytes, total });
  }
  return {
    bytes,
    seconds: (performance.now() - started) / 1000,
    storages: storages.length,
    checksums: storages.filter(({ checksum }) => checksum).length,
  };
}
