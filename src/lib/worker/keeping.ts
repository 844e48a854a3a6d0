/**
 * The folder of a run as the training sees it: what it keeps becomes files that were read back and
 * compared before they have their names.
 */
import type { Value } from '#lib/checkpoint/value.ts';
import { blobSource } from '#lib/file/source.ts';
import { openCheckpoint } from '#lib/formats/index.ts';
import { torch } from '#lib/formats/torch.read.ts';
import type { RunFolder } from '#lib/storage/run_folder.ts';
import { RUN, type RunFiles } from '#lib/training/keep.ts';
import type { Kept } from '#lib/training/kept.ts';
import { compare, mustLoad } from './save.file.ts';

export interface KeepingParts {
  /** The checkpoint of a state, as `trainedCheckpoint` makes it. */
  tree(kept: Kept): Value;
  /** Judges what was read back, by a forward pass; throws where it is not the state. */
  verify?(root: Value, kept: Kept): Promise<void>;
  /** Is told run.json when it stands, for whoever remembers where runs lie. */
  note?(run: string): Promise<void>;
  readonly signal: AbortSignal;
}

/** The run's files. A checkpoint gets its name when every tensor of it reads back as it was. */
export function runFilesOf(
  folder: RunFolder,
  { tree, verify, note, signal }: KeepingParts,
): RunFiles {
  return {
    async writeCheckpoint(name, kept) {
      const root = tree(kept);
      const stem = name.replace(/\.pt$/, '');
      await folder.write(
        name,
        (sink) => torch.write!(root, sink, { stem, signal }),
        async (file) => {
          const read = await openCheckpoint(blobSource(file), signal);
          await compare(root, read, signal);
          await mustLoad(file, signal);
          if (read.ok) await verify?.(read.checkpoint.root, kept);
        },
      );
    },
    async writeText(name, text) {
      await folder.write(name, (sink) => sink.write(new TextEncoder().encode(text)));
      // What is kept does not depend on being remembered.
      if (name === RUN) await note?.(text).catch(() => {});
    },
    async readTexts(name) {
      return Promise.all((await folder.files(name)).map((file) => file.text()));
    },
    names: () => folder.names(),
    remove: (name) => folder.remove(name),
  };
}
