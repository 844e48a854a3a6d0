/**
 * Python files out of what a person brings: loose files, folders, and zips of repositories. Paths
 * are text that imports are compared with; nothing is looked up on a disk. What no import can mean
 * (hidden folders, what macOS adds to its zips, installed packages) is left out.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import { blobSource } from '#lib/file/source.ts';
import { ZipError } from '#lib/file/zip.directory.ts';
import { openZip, readEntry } from '#lib/file/zip.read.ts';
import type { SourceFile } from '#lib/architecture/source.ts';

/** Files that are read as source. All of timm has 300, all of torchvision 150. */
const MAX_FILES = 2_000;
/** Bytes of all of them. All of timm takes 5 MB. */
const MAX_BYTES = 16_000_000;

interface Found {
  readonly path: string;
  readonly size: number;
  read(): Promise<Uint8Array>;
}

/**
 * The `.py` files among those given and in the `.zip` files among them; none where there are none.
 * A zip that holds a `data.pkl` is a checkpoint, and its code is none of a user's. Throws what is
 * too much, a zip that is damaged, and text that cannot be decoded.
 */
export async function readSourceFiles(
  given: readonly { readonly path: string; readonly file: File }[],
  signal?: AbortSignal,
): Promise<SourceFile[]> {
  const found: Found[] = [];
  for (const { path, file } of given) {
    if (/\.zip$/i.test(path)) found.push(...(await inZip(file, signal)));
    else if (isSource(path)) found.push(looseFile(path, file));
  }
  if (found.length > MAX_FILES) {
    throw tooMuch(`${found.length} Python files, at most ${MAX_FILES} are read`);
  }
  const bytes = found.reduce((sum, { size }) => sum + size, 0);
  if (bytes > MAX_BYTES) {
    throw tooMuch(`${bytes} bytes of Python, at most ${MAX_BYTES} are read`);
  }
  const files = new Map<string, string>();
  for (const { path, read } of found) {
    const name = plainPath(path);
    signal?.throwIfAborted();
    const text = decode(await read(), name);
    if (!files.has(name) && !isLink(text)) files.set(name, text);
  }
  return withoutTop([...files].map(([name, text]) => ({ name, text })));
}

function tooMuch(message: string): FindingError {
  return new FindingError({
    code: 'source-limit',
    message: `source: ${message}`,
    advice: 'Bring the folder that holds the model, not the whole repository.',
  });
}

/** `.git/hooks/x.py`, `__MACOSX/._model.py` and `.venv/lib/site-packages/…` are not the model's. */
function isSource(path: string): boolean {
  const parts = path.split(/[\\/]/);
  const isApart = (part: string) =>
    /^\.[^.]|^(__MACOSX|__pycache__|node_modules|site-packages|dist-packages)$/.test(part);
  return /\.py$/i.test(path) && !parts.some(isApart);
}

function looseFile(path: string, file: File): Found {
  const read = async () => new Uint8Array(await file.arrayBuffer());
  return { path, size: file.size, read };
}

async function inZip(file: File, signal?: AbortSignal): Promise<Found[]> {
  try {
    const zip = await openZip(blobSource(file), signal);
    const entries = [...zip.entries.values()];
    if (entries.some(({ name }) => /(^|\/)data\.pkl$/.test(name))) return [];
    return entries
      .filter(({ name }) => isSource(name))
      .map((entry) => ({
        path: entry.name,
        size: entry.size,
        read: () => readEntry(zip, entry, signal).catch((error: unknown) => refuse(file, error)),
      }));
  } catch (error) {
    return refuse(file, error);
  }
}

function refuse(file: File, error: unknown): never {
  if (!(error instanceof ZipError)) throw error;
  throw new FindingError({
    code: error.code,
    message: `${file.name}: ${error.message}`,
    advice: 'Download the zip again, or unpack it and bring the folder.',
  });
}

/** With slashes, and without what would lead out of the folder. */
function plainPath(path: string): string {
  const parts = path.split(/[\\/]/).filter((part) => part !== '' && !/^\.+$/.test(part));
  return parts.join('/');
}

/** Git keeps a symbolic link as a file that holds nothing but its target. */
function isLink(text: string): boolean {
  return /^[\w./-]+\/[\w.-]+\.py$/.test(text);
}

/** A file's encoding as PEP 263 has it in the first two lines; UTF-8 where there is none. */
function decode(bytes: Uint8Array, name: string): string {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 400));
  const declared = /^(?:[^\n]*\n)?[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)/.exec(head)?.[1] ?? 'utf-8';
  // Python takes more spellings than browsers do.
  const label = declared
    .toLowerCase()
    .replaceAll('_', '-')
    .replace(/^latin-1$/, 'latin1');
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch {
    throw new FindingError({
      code: 'source-encoding',
      message: `source: ${name} is not text in ${declared}`,
      advice: 'Save it as UTF-8, or leave it out.',
    });
  }
}

/** GitHub's zips put all into `unet-main`, which is no name that an import could mean. */
function withoutTop(files: readonly SourceFile[]): SourceFile[] {
  const top = files[0]?.name.split('/')[0] ?? '';
  const isShared = files.every(({ name }) => name.startsWith(`${top}/`));
  if (!isShared || /^[\p{L}_][\p{L}\p{N}_]*$/u.test(top)) return [...files];
  return files.map(({ name, text }) => ({ name: name.slice(top.length + 1), text }));
}
