/** From what was dropped on the page to a checkpoint. */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { blobSource } from '#lib/file/source.ts';
import { openFolder } from '#lib/formats/folder.ts';
import { openCheckpoint } from '#lib/formats/index.ts';
import type { Dropped } from './protocol.ts';

/** Opens a file, or the files of a folder. Throws a FindingError that says why it cannot. */
export async function openDropped(dropped: Dropped, signal: AbortSignal): Promise<Checkpoint> {
  const result =
    'file' in dropped
      ? await openCheckpoint(blobSource(dropped.file), signal)
      : await openFolder(
          dropped.name,
          dropped.files.map(({ path, file }) => ({ path, source: blobSource(file) })),
          signal,
          dropped.choice,
        );
  if (!result.ok) throw new FindingError(result.findings[0]!);
  return result.checkpoint;
}
