/**
 * Reads the zip container that `torch.save` writes since 1.6: one top folder that holds `data.pkl`
 * (the pickle), `data/N` (the storages), `version` and `byteorder`. Opening reads the directory
 * and the pickle; a storage's bytes are read when a tensor in it is.
 */
import { itemsize, wordSize } from '#lib/checkpoint/dtype.ts';
import { swapBytes } from '#lib/checkpoint/elements.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Storage } from '#lib/checkpoint/tensor.ts';
import type { Source } from '#lib/file/source.ts';
import { entrySource, readEntry, type Zip } from '#lib/file/zip.read.ts';
import type { Format } from './format.ts';
import { interpret } from './torch.interpret.ts';
import type { StorageReference } from './torch.storages.ts';
import { judgedPickle } from './torch.safety.ts';
import { writeTorch } from './torch.write.ts';

/** `data.pkl` is read as a whole; that of a checkpoint with a million tensors takes some 200 MB. */
const MAX_PICKLE = 2 ** 30;

export const torch: Format = {
  name: 'torch',
  title: 'PyTorch checkpoint (zip)',
  extensions: ['.pt', '.pth', '.ckpt', '.bin'],

  match: ({ zip }) => zip !== null && rootsOf(zip).length > 0,

  async read({ source, zip }, signal) {
    const root = onlyRoot(zip!);
    if (zip!.entries.has(`${root}constants.pkl`)) {
      throw new FindingError({
        code: 'torch-script',
        message: 'torch: this is a TorchScript archive (torch.jit.save), not a checkpoint',
        advice: 'Save its state_dict with torch.save(model.state_dict(), …) and open that.',
      });
    }
    const byteorder = await byteorderOf(zip!, root, signal);
    const bigEndian = byteorder === 'big';
    const { pickle, findings, calls } = judgedPickle(await pickleBytes(zip!, root, signal));
    const storages = new Map<string, Storage>();
    const storageOf = (reference: StorageReference) => {
      let storage = storages.get(reference.key);
      if (!storage) {
        storage = zipStorage(zip!, root, reference, bigEndian);
        storages.set(reference.key, storage);
      }
      return storage;
    };
    return {
      name: source.name,
      format: 'torch',
      size: source.size,
      root: interpret(pickle.value, storageOf),
      metadata: new Map([
        ['byteorder', byteorder],
        ['pickle protocol', String(pickle.protocol)],
      ]),
      findings,
      calls,
    };
  },

  write: writeTorch,
};

/** Folders (with the slash) that hold a `data.pkl`. */
function rootsOf(zip: Zip): string[] {
  return [...zip.entries.keys()]
    .filter((name) => /^[^/]+\/data\.pkl$/.test(name))
    .map((name) => name.slice(0, -'data.pkl'.length));
}

function onlyRoot(zip: Zip): string {
  const roots = rootsOf(zip);
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
async function byteorderOf(zip: Zip, root: string, signal?: AbortSignal): Promise<string> {
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

async function pickleBytes(zip: Zip, root: string, signal?: AbortSignal): Promise<Uint8Array> {
  const entry = zip.entries.get(`${root}data.pkl`)!;
  if (entry.size > MAX_PICKLE) {
    throw new Error(`torch: data.pkl takes ${entry.size} bytes, the limit is ${MAX_PICKLE}`);
  }
  return readEntry(zip, entry, signal);
}

/** A record `data/KEY` as a Storage. Its bytes are found and read when first asked for. */
function zipStorage(
  zip: Zip,
  root: string,
  { key, location, dtype, numel }: StorageReference,
  bigEndian: boolean,
): Storage {
  const entry = zip.entries.get(`${root}data/${key}`);
  if (!entry) {
    throw new FindingError({
      code: 'torch-record-missing',
      where: `data/${key}`,
      message: `torch: the record "data/${key}" is missing`,
      advice: 'The file is incomplete: get it again, or save it again.',
    });
  }
  const size = dtype === 'untyped' ? 1 : itemsize(dtype);
  const byteLength = numel * size;
  if (byteLength > entry.size) {
    throw new FindingError({
      code: 'torch-record-short',
      where: `data/${key}`,
      message: `torch: record "data/${key}" holds ${entry.size} bytes, its storage needs ${byteLength}`,
      advice: 'The file is incomplete: get it again, or save it again.',
    });
  }
  const word = dtype === 'untyped' ? 1 : wordSize(dtype);
  let source: Source | undefined;
  return {
    key,
    location,
    byteLength,
    ...(bigEndian && dtype === 'untyped' && { bigEndian: true as const }),
    async read(start, end, signal) {
      source ??= await entrySource(zip, entry, signal);
      const bytes = await source.read(start, end, signal);
      return bigEndian ? swapBytes(bytes, word) : bytes;
    },
  };
}
