/** From what was dropped on the page to a checkpoint. */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { blobSource, type Source } from '#lib/file/source.ts';
import { openFolder } from '#lib/formats/folder.ts';
import { openFile } from '#lib/formats/zipped.ts';
import type { CallContext } from './lab.state.ts';
import { paced } from './paced.ts';
import type { Dropped } from './protocol.ts';

/** Opens a file, or the files of a folder. Throws a FindingError that says why it cannot. */
export async function openDropped(
  dropped: Dropped,
  { signal, progress }: CallContext<'open' | 'openBeside'>,
): Promise<Checkpoint> {
  const count = readCounter(progress);
  const result =
    'file' in dropped
      ? await openFile(count(dropped.file), signal, dropped.choice)
      : await openFolder(
          dropped.name,
          dropped.files.map(({ path, file }) => ({ path, source: count(file) })),
          signal,
          dropped.choice,
        );
  if (!result.ok) throw new FindingError(result.findings[0]!);
  return result.checkpoint;
}

/** Makes sources of files that tell how many bytes were read of all of them. */
export function readCounter(progress: (read: { bytes: number }) => void): (file: File) => Source {
  const report = paced(progress);
  let bytes = 0;
  return (file) => {
    const source = blobSource(file);
    return {
      ...source,
      async read(start, end, signal) {
        const content = await source.read(start, end, signal);
        bytes += content.byteLength;
        report({ bytes });
        return content;
      },
    };
  };
}
