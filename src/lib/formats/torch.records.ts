/**
 * The records of a zip that PyTorch wrote (PyTorchStreamWriter): one top folder, in it pickles, and
 * the storages that these refer to, one record each. torch.save, torch.jit.save and torch.export
 * share this container; the formats say which records there are.
 */
import { itemsize, wordSize } from '#lib/checkpoint/dtype.ts';
import { swapBytes } from '#lib/checkpoint/elements.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Storage } from '#lib/checkpoint/tensor.ts';
import type { Source } from '#lib/file/source.ts';
import { entrySource, readEntry, type Zip } from '#lib/file/zip.read.ts';
import { DEFLATED } from '#lib/file/zip.ts';
import type { StorageReference } from './torch.storages.ts';

/** A pickle is read as a whole; that of a checkpoint with a million tensors takes some 200 MB. */
const MAX_PICKLE = 2 ** 30;

/** Folders (with the slash) that hold a record of that name, each named once. */
export function rootsWith(zip: Zip, record: string): string[] {
  return [...zip.entries.keys()]
    .filter((name) => name.indexOf('/') > 0 && name.slice(name.indexOf('/') + 1) === record)
    .map((name) => name.slice(0, -record.length));
}

/** The one folder that holds `data.pkl`. Throws a FindingError where there are several. */
export function onlyRoot(zip: Zip): string {
  const roots = rootsWith(zip, 'data.pkl');
  if (roots.length > 1) {
    throw new FindingError({
      code: 'torch-ambiguous',
      message: `torch: the archive holds ${roots.length} checkpoints: ${roots.map((root) => `${root}data.pkl`).join(', ')}`,
      advice: 'Readers disagree on which one counts. Get the file from a source that you trust.',
    });
  }
  return roots[0]!;
}

/** The record `byteorder`, which files before PyTorch 2.1 lack. */
export async function byteorderOf(
  zip: Zip,
  root: string,
  signal?: AbortSignal,
): Promise<'little' | 'big'> {
  const entry = zip.entries.get(`${root}byteorder`);
  if (!entry) return 'little';
  const known = entry.size === 'little'.length || entry.size === 'big'.length;
  const order = known ? new TextDecoder().decode(await readEntry(zip, entry, signal)) : '';
  if (order === 'little' || order === 'big') return order;
  throw new FindingError({
    code: 'torch-byteorder',
    where: 'byteorder',
    message: `torch: the record "byteorder" of ${entry.size} bytes says neither little nor big`,
    advice: 'The file is damaged or was not written by PyTorch: get it again, or save it again.',
  });
}

/** The bytes of a pickle. Throws a FindingError where it is missing. */
export async function pickleRecord(
  zip: Zip,
  root: string,
  record: string,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const entry = zip.entries.get(`${root}${record}`);
  if (!entry) throw missing(record);
  if (entry.size > MAX_PICKLE) {
    throw new Error(`torch: ${record} takes ${entry.size} bytes, the limit is ${MAX_PICKLE}`);
  }
  return readEntry(zip, entry, signal);
}

/**
 * Finds the storages that a pickle refers to by key, as records `FOLDER/KEY` below the root. Asked
 * twice for a key, it gives the same Storage. Throws a FindingError for a record that is missing or
 * too short.
 */
export function recordStorages(
  zip: Zip,
  root: string,
  folder: string,
  byteorder: 'little' | 'big',
): (reference: StorageReference) => Storage {
  const storages = new Map<string, Storage>();
  return (reference) => {
    let storage = storages.get(reference.key);
    if (!storage) {
      storage = recordStorage(zip, root, `${folder}/${reference.key}`, reference, byteorder);
      storages.set(reference.key, storage);
    }
    return storage;
  };
}

/** A record as a Storage. Its bytes are found and read when first asked for. */
function recordStorage(
  zip: Zip,
  root: string,
  record: string,
  { key, location, dtype, numel }: StorageReference,
  byteorder: 'little' | 'big',
): Storage {
  const entry = zip.entries.get(`${root}${record}`);
  if (!entry) throw missing(record);
  const size = dtype === 'untyped' ? 1 : itemsize(dtype);
  const byteLength = numel * size;
  if (byteLength > entry.size) {
    throw new FindingError({
      code: 'torch-record-short',
      where: record,
      message: `torch: record ${JSON.stringify(record)} holds ${entry.size} bytes, its storage needs ${byteLength}`,
      advice: 'The file is incomplete: get it again, or save it again.',
    });
  }
  const bigEndian = byteorder === 'big';
  const word = dtype === 'untyped' ? 1 : wordSize(dtype);
  let opened: Promise<Source> | undefined;
  const open = () => {
    opened ??= entrySource(zip, entry);
    opened.catch(() => (opened = undefined)); // the next read tries again
    return opened;
  };
  const reader =
    (how: 'read' | 'readUnchecked'): Storage['read'] =>
    async (start, end, signal) => {
      const source = await open();
      const bytes = await (source[how] ?? source.read)(start, end, signal);
      return bigEndian ? swapBytes(bytes, word) : bytes;
    };
  return {
    key,
    location,
    byteLength,
    place: { file: zip.source, at: entry.headerOffset },
    ...(bigEndian && dtype === 'untyped' && { bigEndian: true as const }),
    ...(zip.source.fresh && { fresh: true as const }),
    ...(entry.method === DEFLATED && { sequential: true as const }),
    ...(entry.crc32 !== 0 && { checksum: true as const, readUnchecked: reader('readUnchecked') }),
    read: reader('read'),
  };
}

function missing(record: string): FindingError {
  return new FindingError({
    code: 'torch-record-missing',
    where: record,
    message: `torch: the record ${JSON.stringify(record)} is missing`,
    advice: 'The file is incomplete: get it again, or save it again.',
  });
}
