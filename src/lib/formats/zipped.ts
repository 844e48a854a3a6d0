/** A folder that was packed as a zip, as large models and the lab's own shards come by download. */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import type { Result } from '#lib/checkpoint/finding.ts';
import type { Source } from '#lib/file/source.ts';
import { entrySource, openZip } from '#lib/file/zip.read.ts';
import type { FolderFile } from './folder.files.ts';
import { openFolder } from './folder.ts';
import { formats, openCheckpoint } from './index.ts';

/**
 * Opens a file: a checkpoint, or a zip that is none itself and has one among its files. `choice` says
 * which of them is meant, where there are several.
 */
export async function openFile(
  source: Source,
  signal?: AbortSignal,
  choice?: number,
): Promise<Result<{ checkpoint: Checkpoint }>> {
  const result = await openCheckpoint(source, signal);
  const isUnknown = !result.ok && result.findings[0]?.code === 'file-unknown';
  if (!isUnknown || !(await isZip(source, signal))) return result;
  const files = await filesInZip(source, signal);
  if (!files.some(({ path }) => EXTENSION.test(path))) return result;
  return openFolder(source.name.replace(/\.zip$/i, ''), files, signal, choice);
}

/** What the files of checkpoints are called, also of distributed ones. */
const EXTENSION = new RegExp(
  `(${formats
    .flatMap(({ extensions }) => extensions)
    .join('|')
    .replaceAll('.', '\\.')}|\\.distcp)$`,
  'i',
);

async function isZip(source: Source, signal?: AbortSignal): Promise<boolean> {
  const [p, k] = await source.read(0, Math.min(2, source.size), signal);
  return p === 0x50 && k === 0x4b;
}

/** The files of a zip, by their paths below the folder that all of them are in. */
export async function filesInZip(source: Source, signal?: AbortSignal): Promise<FolderFile[]> {
  const zip = await openZip(source, signal);
  const entries = [...zip.entries.values()].filter(({ name }) => !HIDDEN.test(name));
  const [first] = entries;
  const folder = first?.name.slice(0, first.name.indexOf('/') + 1) ?? '';
  const depth = entries.every(({ name }) => name.startsWith(folder)) ? folder.length : 0;
  return Promise.all(
    entries.map(async (entry) => ({
      path: entry.name.slice(depth),
      source: await entrySource(zip, entry, signal),
    })),
  );
}

/** Folders, and what systems put beside the files: `.DS_Store`, `__MACOSX/`. */
const HIDDEN = /\/$|(^|\/)\.(?!metadata$)|^__MACOSX\//;
