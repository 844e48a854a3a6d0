/**
 * What a person drops on the window or chooses at once: loose files, and folders with all that is
 * in them. Folders are walked with a list of what is left, never by recursion, and within limits:
 * one that holds more is refused, not cut, since a checkpoint without some of its files is another.
 */
import type { Dropped, Result } from '#lib/worker/protocol.ts';
import { words } from './words.ts';

export interface Folder {
  name: string;
  /** Paths are relative to the folder, with slashes. */
  files: { path: string; file: File }[];
}

export interface Pile {
  files: readonly File[];
  folders: readonly Folder[];
  /** Of all of them, to open them again in a later visit; fails where the browser gives none. */
  handles?: Promise<readonly FileSystemHandle[]>;
}

/** Files of one drop. The largest sharded models have some hundreds; a home folder has more. */
const MAX_FILES = 10_000;
/** Folders inside of folders. Checkpoints lie near the top: `outputs/run/checkpoint-500/`. */
const MAX_DEPTH = 12;
/** Files that are asked for at the same time. */
const AT_ONCE = 64;

/** Folders that no checkpoint lies in: `.git`, `.cache`, `__pycache__`. */
const isHidden = (name: string) => name.startsWith('.') || name === '__pycache__';

/** A folder, however the browser gives it: by a drop or by a picker. */
interface Directory {
  readonly name: string;
  /** What is in it; past the limit on files it may stop. */
  list(): Promise<readonly (Directory | Leaf)[]>;
}
interface Leaf {
  readonly name: string;
  file(): Promise<File>;
}

/**
 * The files of a drop and of its folders. The event gives its items only until the first await, so
 * this is called while it is handled. Refuses folders that are larger or deeper than the limits.
 */
export async function readDrop(
  transfer: DataTransfer,
  signal: AbortSignal,
): Promise<Result<{ pile: Pile }>> {
  const files: File[] = [];
  const roots: Directory[] = [];
  const handles = handlesOf(transfer);
  for (const item of transfer.items) {
    const entry = item.kind === 'file' ? item.webkitGetAsEntry() : null;
    const file = item.getAsFile();
    if (entry && isDirectory(entry)) roots.push(droppedDirectory(entry));
    else if (file) files.push(file);
  }
  return readRoots({ files, roots, handles }, signal);
}

/** Not in TypeScript's library: only Chromium has it. */
interface WithHandle {
  getAsFileSystemHandle?(): Promise<FileSystemHandle | null>;
}

/** The handles of what is dropped; a rejected promise where some has none. */
function handlesOf(transfer: DataTransfer): Promise<readonly FileSystemHandle[]> {
  const all = [...transfer.items].map(async (item) => {
    const handle = await (item as WithHandle).getAsFileSystemHandle?.();
    if (!handle) throw new Error('drop: a file without a handle');
    return handle;
  });
  const handles = Promise.all(all);
  handles.catch(() => {}); // whoever wants them is told
  return handles;
}

/** The files behind handles, and those of folders, within the same limits. */
export async function readPicked(
  handles: readonly FileSystemHandle[],
  signal: AbortSignal,
): Promise<Result<{ pile: Pile }>> {
  const files: File[] = [];
  const roots: Directory[] = [];
  for (const handle of handles) {
    if (isFolderHandle(handle)) roots.push(pickedDirectory(handle));
    else files.push(await (handle as FileSystemFileHandle).getFile());
  }
  return readRoots({ files, roots, handles: Promise.resolve(handles) }, signal);
}

function isFolderHandle(handle: FileSystemHandle): handle is FileSystemDirectoryHandle {
  return handle.kind === 'directory';
}

interface Roots extends Pick<Pile, 'files' | 'handles'> {
  readonly roots: readonly Directory[];
}

async function readRoots(
  { files, roots, handles }: Roots,
  signal: AbortSignal,
): Promise<Result<{ pile: Pile }>> {
  const folders: Folder[] = [];
  let room = MAX_FILES - files.length;
  for (const root of roots) {
    const result = await readFolder(root, room, signal);
    if (!result.ok) return result;
    room -= result.folder.files.length;
    folders.push(result.folder);
  }
  return { ok: true, pile: { files, folders, handles } };
}

async function readFolder(
  root: Directory,
  room: number,
  signal: AbortSignal,
): Promise<Result<{ folder: Folder }>> {
  const found: { path: string; leaf: Leaf }[] = [];
  const left = [{ directory: root, prefix: '', depth: 1 }];
  for (let next = left.pop(); next; next = left.pop()) {
    const { directory, prefix, depth } = next;
    if (depth > MAX_DEPTH) return tooMuch(root.name, words.arriving.tooDeep(MAX_DEPTH));
    for (const entry of await directory.list()) {
      signal.throwIfAborted();
      const path = prefix + entry.name;
      if ('file' in entry) found.push({ path, leaf: entry });
      else if (!isHidden(entry.name)) {
        left.push({ directory: entry, prefix: `${path}/`, depth: depth + 1 });
      }
    }
    if (found.length > room) return tooMuch(root.name, words.arriving.tooMany(MAX_FILES));
  }
  const files: Folder['files'] = [];
  for (let start = 0; start < found.length; start += AT_ONCE) {
    const batch = found.slice(start, start + AT_ONCE);
    const read = async ({ path, leaf }: (typeof batch)[0]) => ({ path, file: await leaf.file() });
    files.push(...(await Promise.all(batch.map(read))));
  }
  return { ok: true, folder: { name: root.name, files } };
}

/** The folder that was chosen with `<input webkitdirectory>`, which gives its files' paths. */
export function chosenFolder(files: readonly File[]): Result<{ pile: Pile }> {
  const name = files[0]?.webkitRelativePath.split('/')[0] ?? 'folder';
  if (files.length > MAX_FILES) return tooMuch(name, words.arriving.tooMany(MAX_FILES));
  const inside = files.map((file) => ({
    path: file.webkitRelativePath.slice(name.length + 1),
    file,
  }));
  const shown = inside.filter(({ path }) => !path.split('/').slice(0, -1).some(isHidden));
  return { ok: true, pile: { files: [], folders: [{ name, files: shown }] } };
}

/** All of a pile as what `open` takes; null where it is empty. */
export function droppedOf({ files, folders }: Pile): Dropped | null {
  const [file] = files;
  const [folder] = folders;
  if (file && files.length === 1 && !folder) return { file };
  if (folder && folders.length === 1 && !file) return folder;
  const name = folder?.name ?? file?.name;
  if (name === undefined) return null;
  return { name, files: pathsOf({ files, folders }) };
}

/** All files of a pile; those of folders with the folder's name in front. */
export function pathsOf({ files, folders }: Pile): { path: string; file: File }[] {
  const below = folders.flatMap((it) =>
    it.files.map(({ path, file }) => ({ path: `${it.name}/${path}`, file })),
  );
  return [...below, ...files.map((file) => ({ path: file.name, file }))];
}

/** What checkpoints are kept in, as far as a name tells. */
const kept =
  /\.(pt|pth|pt2|ckpt|bin|safetensors|gguf|npz|npy|distcp|pkl|tar|mar)$|(^|\/)\.metadata$/i;

export function hasPython({ files }: Folder): boolean {
  return files.some(({ path }) => /\.py$/i.test(path));
}

/** A folder of Python files without a checkpoint among them. */
export function isProject(folder: Folder): boolean {
  return hasPython(folder) && !folder.files.some(({ path }) => kept.test(path));
}

export function nameOf(dropped: Dropped): string {
  return 'file' in dropped ? dropped.file.name : dropped.name;
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isDirectory(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

function droppedDirectory(directory: FileSystemDirectoryEntry): Directory {
  return {
    name: directory.name,
    async list() {
      const entries = await entriesOf(directory);
      return entries.flatMap((entry) => {
        if (isDirectory(entry)) return droppedDirectory(entry);
        return isFile(entry) ? droppedLeaf(entry) : [];
      });
    },
  };
}

function droppedLeaf(entry: FileSystemFileEntry): Leaf {
  const file = () => new Promise<File>((resolve, reject) => entry.file(resolve, reject));
  return { name: entry.name, file };
}

function pickedDirectory(handle: FileSystemDirectoryHandle): Directory {
  return {
    name: handle.name,
    async list() {
      const entries: (Directory | Leaf)[] = [];
      for await (const child of handle.values()) {
        if (entries.length > MAX_FILES) break;
        const { name, kind } = child;
        entries.push(
          kind === 'directory' ? pickedDirectory(child) : { name, file: () => child.getFile() },
        );
      }
      return entries;
    },
  };
}

/** A directory's entries. Browsers give a hundred at a time, and nothing after the last. */
async function entriesOf(directory: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = directory.createReader();
  const entries: FileSystemEntry[] = [];
  while (entries.length <= MAX_FILES) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (batch.length === 0) break;
    entries.push(...batch);
  }
  return entries;
}

function tooMuch(name: string, what: string): Result<never> {
  return {
    ok: false,
    findings: [
      {
        code: 'folder-limit',
        severity: 'error',
        message: words.arriving.tooMuch(name, what),
        advice: words.arriving.tooMuchAdvice,
      },
    ],
  };
}
