/**
 * Where runs lie: `runs/ID` on the browser's own disk, or a folder that the person picked. What a
 * run needs beside its checkpoints is copied there too, as long as it is not much, so that the next
 * start can go on by itself.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import { ReadAhead, wholeOf } from '#lib/file/read_ahead.ts';
import { forgetFolder, rememberedFolders, rememberFolder } from '#lib/storage/handles.ts';
import type { OpenFile } from '#lib/storage/opfs.ts';
import { runEntries, runFiles, RunFolder } from '#lib/storage/run_folder.ts';
import { safeName } from '#lib/storage/safe_name.ts';
import { INPUTS, isRunFile } from '#lib/training/keep.ts';
import type { RunInput } from '#lib/training/run_file.ts';

/** Folder of the browser's own disk that the runs lie in. */
const RUNS = 'runs';
/** Data up to this size is copied; more would take the room that checkpoints need. */
export const MAX_COPIED = 64 * 2 ** 20;

export interface InputFile {
  readonly role: RunInput['role'];
  /** Relative to the folder that was dropped, with slashes. */
  readonly path: string;
  readonly file: File;
}

/** The folder of the private runs. */
export async function privateRuns(): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return root.getDirectoryHandle(RUNS, { create: true });
}

export interface NewRun {
  readonly id: string;
  /** As the files begin. */
  readonly name: string;
  /** The folder that was picked; without it, the run lies on the browser's own disk. */
  readonly folder?: FileSystemDirectoryHandle;
  readonly openFile?: OpenFile;
}

/**
 * Makes the folder of a new run and takes its lock. Throws a FindingError where no file can have
 * the name, or the picked folder holds files that the run would write over.
 */
export async function startRun({ id, name, folder, openFile }: NewRun): Promise<RunFolder> {
  if (safeName(name) !== name) {
    throw new FindingError({
      code: 'run-name',
      message: `storage: no file can be called ${JSON.stringify(name)}`,
      advice: `Call the run ${safeName(name)}, or something else without special characters.`,
    });
  }
  const isOurs = (file: string) => isRunFile(file, name);
  if (!folder) {
    const directory = await (await privateRuns()).getDirectoryHandle(id, { create: true });
    return RunFolder.open(directory, { id, isOurs, openFile });
  }
  const taken = (await runEntries(folder)).find((entry) => isOurs(entry.name));
  if (taken) {
    throw new FindingError({
      code: 'run-folder-taken',
      message: `storage: the folder ${folder.name} holds ${taken.file} already, which the run would write over`,
      advice: 'Choose an empty folder, or go on with the run that is in it.',
    });
  }
  return RunFolder.open(folder, { id, isOurs });
}

/** The folder of a run that is there, to go on with; with its lock. */
export async function continueRun(
  { id, name }: { id: string; name: string },
  openFile?: OpenFile,
): Promise<RunFolder> {
  const { directory, isPrivate } = await placeOf(id);
  const isOurs = (file: string) => isRunFile(file, name);
  return RunFolder.open(directory, { id, isOurs, ...(isPrivate && { openFile }) });
}

export interface RunPlace {
  readonly directory: FileSystemDirectoryHandle;
  readonly isPrivate: boolean;
}

/** Where a run lies. Throws a FindingError where it is not known. */
export async function placeOf(id: string): Promise<RunPlace> {
  const picked = (await rememberedFolders()).find((folder) => folder.id === id);
  if (picked) return { directory: picked.handle, isPrivate: false };
  try {
    return { directory: await (await privateRuns()).getDirectoryHandle(id), isPrivate: true };
  } catch {
    throw new FindingError({
      code: 'run-unknown',
      message: `storage: there is no run ${id}`,
      advice:
        'It may have been removed in another tab; a run in a folder can be opened from there.',
    });
  }
}

/** Keeps what is known of a run in a picked folder for the next start. */
export async function noteRun(folder: RunFolder, id: string, run: string): Promise<void> {
  const isPrivate = await isInside(await privateRuns(), folder.directory);
  if (!isPrivate) await rememberFolder({ id, handle: folder.directory, run });
}

async function isInside(
  parent: FileSystemDirectoryHandle,
  child: FileSystemDirectoryHandle,
): Promise<boolean> {
  return (await parent.resolve(child)) !== null;
}

/** Removes a private run; one in a picked folder is forgotten, its files stay. */
export async function removeRun(id: string): Promise<void> {
  const { isPrivate } = await placeOf(id);
  if (isPrivate) await (await privateRuns()).removeEntry(id, { recursive: true });
  else await forgetFolder(id);
}

/**
 * Copies what a run needs into its folder, all of it or nothing, one file behind the other, since
 * pictures may be thousands. Says what it was.
 */
export async function copyInputs(
  folder: RunFolder,
  inputs: readonly InputFile[],
): Promise<RunInput[]> {
  const total = inputs.reduce((sum, { file }) => sum + file.size, 0);
  const isCopied = total <= MAX_COPIED && inputs.length > 0;
  if (isCopied) {
    await folder.write(INPUTS, async (sink) => {
      const ranges = inputs.map(({ file }) => wholeOf(file));
      for await (const piece of new ReadAhead(ranges).next()) await sink.write(piece);
    });
  }
  let start = 0;
  return inputs.map(({ role, path, file }) => {
    const copy = isCopied ? start : null;
    start += file.size;
    return { role, path, bytes: file.size, copy };
  });
}

/** The copies of one kind by their own names; null where some must be brought again. */
export async function readInputs(
  directory: FileSystemDirectoryHandle,
  inputs: readonly RunInput[],
  role: RunInput['role'],
): Promise<{ path: string; file: File }[] | null> {
  const [copies] = await runFiles(directory, INPUTS);
  const files: { path: string; file: File }[] = [];
  for (const { path, bytes, copy } of inputs.filter((input) => input.role === role)) {
    if (!copies || copy === null || copy + bytes > copies.size) return null;
    const name = path.split('/').at(-1)!;
    files.push({ path, file: new File([copies.slice(copy, copy + bytes)], name) });
  }
  return files.length > 0 ? files : null;
}
