/**
 * The runs that a start finds: what they are, the newest state of each that is whole, and the way
 * on from there. A run.json tells what a run is; which of its checkpoints is the newest, only the
 * checkpoints themselves tell, since whatever cut the run off may have come between two files.
 */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { FindingError, findingOf, type Finding } from '#lib/checkpoint/finding.ts';
import { ReadAhead } from '#lib/file/read_ahead.ts';
import { blobSource } from '#lib/file/source.ts';
import { ZipWriter } from '#lib/file/zip.write.ts';
import { openCheckpoint } from '#lib/formats/index.ts';
import { forgetFolder, mayWrite, rememberedFolders } from '#lib/storage/handles.ts';
import { safeName } from '#lib/storage/safe_name.ts';
import { filesIn, isRunOpen, runEntries, runFiles } from '#lib/storage/run_folder.ts';
import { isRunFile, LAST, RUN } from '#lib/training/keep.ts';
import { readRunFile, type RunFile } from '#lib/training/run_file.ts';
import { keptFrom, type KeptState } from './kept_state.ts';
import type { FoundRun, OpenedRun } from './protocol.keep.ts';
import { placeOf, privateRuns, readInputs, removeRun as remove } from './run_place.ts';
import { writeFile, type WriteArguments } from './save.file.ts';
import { verifyCheckpoint } from './verify.ts';

/** The runs of both kinds of place, the one that was last written first. */
export async function findRuns(): Promise<FoundRun[]> {
  const found = [...(await findPrivate()), ...(await findPicked())];
  return found.sort((a, b) => b.updated - a.updated);
}

async function findPrivate(): Promise<FoundRun[]> {
  const found: FoundRun[] = [];
  const runs = await privateRuns().catch(() => null); // not every browser has such a disk, or now
  if (!runs) return found;
  for await (const [id, handle] of runs.entries()) {
    if (handle.kind !== 'directory') continue;
    const run = await findRun(handle);
    if ((await isEmpty(handle)) && !(await isRunOpen(id))) {
      // Cut off before anything was kept: there is nothing to go on from.
      await runs.removeEntry(id, { recursive: true }).catch(() => {});
    } else if (run) found.push(await described(id, run, 'private', await bytesOf(handle, run)));
  }
  return found;
}

async function findPicked(): Promise<FoundRun[]> {
  const found: FoundRun[] = [];
  for (const { id, handle, run } of await rememberedFolders()) {
    const place = { folder: handle.name, handle };
    try {
      const isOpen = await mayWrite(handle);
      const current = (isOpen && (await findRun(handle))) || readRunFile(run);
      found.push(await described(id, current, place, isOpen ? await bytesOf(handle, current) : 0));
    } catch (error) {
      // The folder is gone, or what was noted of it says nothing.
      if (findingOf(error).code === 'storage-gone') await forgetFolder(id);
    }
  }
  return found;
}

async function described(
  id: string,
  run: RunFile,
  place: FoundRun['place'],
  bytes: number,
): Promise<FoundRun> {
  const isOpen = await isRunOpen(run.id);
  return {
    ...{ id, place, bytes },
    name: run.settings.name,
    model: run.model.name,
    state: isOpen ? 'running' : run.state === 'ended' ? 'ended' : 'interrupted',
    epoch: run.place?.epoch ?? 0,
    end: run.end,
    best: run.best,
    updated: Date.parse(run.updated) || 0,
    data: run.data.name,
  };
}

/** What a run's folder says of it. Throws a FindingError where no run.json can be read. */
export async function readRun(directory: FileSystemDirectoryHandle): Promise<RunFile> {
  const run = await findRun(directory);
  if (run) return run;
  throw new FindingError({
    code: 'run-file',
    message: `run.json: ${directory.name} holds none that can be read`,
    advice: 'Its checkpoints can be opened by themselves; training can go on from any of them.',
  });
}

/** run.json, of its newest version that is one; null where there is none. */
async function findRun(directory: FileSystemDirectoryHandle): Promise<RunFile | null> {
  for (const file of await runFiles(directory, RUN)) {
    try {
      return readRunFile(await file.text());
    } catch {
      // Cut off before it was whole; an older version may be there.
    }
  }
  return null;
}

async function isEmpty(directory: FileSystemDirectoryHandle): Promise<boolean> {
  return (await runEntries(directory)).every(({ name }) => !name.endsWith('.pt'));
}

/** The files of a run; in a picked folder there may be others. */
function filesOf(directory: FileSystemDirectoryHandle, { settings }: RunFile): Promise<File[]> {
  return filesIn(directory, (name) => isRunFile(name, settings.name));
}

async function bytesOf(directory: FileSystemDirectoryHandle, run: RunFile): Promise<number> {
  const files = await filesOf(directory, run);
  return files.reduce((sum, { size }) => sum + size, 0);
}

/** A state that is whole. */
export interface WholeState {
  readonly file: File;
  readonly checkpoint: Checkpoint;
  readonly state: KeptState;
}

/**
 * The newest state in a run's folder of which every byte reads back as it was written, and what was
 * wrong with newer files. Null where there is none.
 */
export async function newestState(
  directory: FileSystemDirectoryHandle,
  run: Pick<RunFile, 'id' | 'settings'>,
  signal: AbortSignal,
): Promise<{ newest: WholeState | null; findings: Finding[] }> {
  const findings: Finding[] = [];
  const states: (WholeState & { name: string })[] = [];
  for (const { name, file } of await checkpointsIn(directory, run.settings.name)) {
    try {
      const opened = await openCheckpoint(blobSource(file), signal);
      if (!opened.ok) throw new FindingError(opened.findings[0]!);
      const { checkpoint } = opened;
      const state = await keptFrom(checkpoint.root);
      if (state.run === run.id) states.push({ name, file, checkpoint, state });
    } catch (error) {
      signal.throwIfAborted();
      findings.push(broken(file, error));
    }
  }
  const rank = ({ name }: { name: string }) => (name === LAST ? 0 : 1);
  states.sort((a, b) => compare(b.state, a.state) || rank(a) - rank(b));
  for (const { name: _, ...whole } of states) {
    try {
      await verifyCheckpoint(whole.checkpoint, { signal, progress: () => {} });
      return { newest: whole, findings };
    } catch (error) {
      signal.throwIfAborted();
      findings.push(broken(whole.file, error));
    }
  }
  return { newest: null, findings };
}

function compare(a: KeptState, b: KeptState): number {
  return a.step - b.step || a.epoch - b.epoch || a.batch - b.batch;
}

/** The newest version of each checkpoint that a run keeps. */
export async function runCheckpoints(id: string): Promise<File[]> {
  const { directory } = await placeOf(id);
  const run = await readRun(directory);
  const all = await checkpointsIn(directory, run.settings.name);
  const newest = Map.groupBy(all, ({ name }) => name).values();
  return [...newest].map(([first]) => first!.file);
}

/** Every version of every checkpoint of the run. */
async function checkpointsIn(
  directory: FileSystemDirectoryHandle,
  name: string,
): Promise<{ name: string; file: File }[]> {
  const entries = await runEntries(directory);
  const names = new Set(entries.map((entry) => entry.name));
  const ours = [...names].filter((file) => file.endsWith('.pt') && isRunFile(file, name));
  const files = await Promise.all(
    ours.map(async (file) =>
      (await runFiles(directory, file)).map((version) => ({ name: file, file: version })),
    ),
  );
  return files.flat();
}

function broken(file: File, error: unknown): Finding {
  const { message } = findingOf(error);
  return {
    code: 'run-file-broken',
    severity: 'warning',
    where: file.name,
    message: `${file.name} is not whole (${file.size} bytes): ${message}`,
    advice: 'The newest state that is whole is taken instead.',
  };
}

/** What it takes to go on with a run. Throws a FindingError that says what is in the way. */
export async function openRun(id: string, signal: AbortSignal): Promise<OpenedRun> {
  const { directory, isPrivate } = await placeOf(id);
  if (!isPrivate && !(await mayWrite(directory))) {
    throw new FindingError({
      code: 'run-permission',
      message: `storage: the folder ${directory.name} may not be written yet`,
      advice: 'Allow it, and the run goes on there.',
    });
  }
  if (await isRunOpen(id)) {
    throw new FindingError({
      code: 'run-in-use',
      message: `storage: the run ${id} is in use in another tab`,
      advice: 'Go on with it there, or close that tab first.',
    });
  }
  const run = await readRun(directory);
  const { newest, findings } = await newestState(directory, run, signal);
  if (!newest) {
    throw new FindingError({
      code: 'run-empty',
      message: findings[0]?.message ?? `storage: the run ${run.settings.name} has kept no state`,
      advice: 'Start it anew from the checkpoint that it began with.',
    });
  }
  const { source } = run.model;
  const data = await readInputs(directory, run.inputs, 'data');
  const [model] = (await readInputs(directory, run.inputs, 'model')) ?? [];
  return {
    id,
    checkpoint: newest.file,
    end: run.end,
    settings: run.settings,
    edits: run.model.edits,
    source: source && {
      files: source.files.map((file) => ({ ...file })),
      candidate: source.candidate,
      ...(source.file !== null && { file: source.file }),
    },
    model: model?.file ?? null,
    arguments: { ...source?.arguments },
    data: {
      files: data,
      wish: run.data.wish,
      name: run.data.name,
      fingerprint: run.data.fingerprint,
    },
    findings,
  };
}

/** Removes a run, unless it is being written; of one in a picked folder, the files stay. */
export async function removeRun(id: string): Promise<void> {
  if (await isRunOpen(id)) {
    throw new FindingError({
      code: 'run-in-use',
      message: `storage: the run ${id} is in use`,
      advice: 'End it first, here or in the other tab.',
    });
  }
  await remove(id);
}

/** All files of a run in one zip, to download. */
export async function exportRun(
  id: string,
  args: Pick<WriteArguments, 'openFile' | 'signal'>,
): Promise<File> {
  const { directory } = await placeOf(id);
  const run = await readRun(directory);
  const files = await filesOf(directory, run);
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const name = safeName(run.settings.name);
  const write = async (sink: ConstructorParameters<typeof ZipWriter>[0]) => {
    const zip = new ZipWriter(sink);
    for (const file of files) {
      const whole = { source: blobSource(file), start: 0, end: file.size };
      await zip.add(`${name}/${file.name}`, file.size, new ReadAhead([whole], args.signal).next());
    }
    await zip.finish();
  };
  return writeFile(`${name}.zip`, total, write, args);
}
