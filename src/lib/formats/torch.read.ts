/**
 * Reads the zip container that `torch.save` writes since 1.6: one top folder that holds `data.pkl`
 * (the pickle), `data/N` (the storages), `version` and `byteorder`. Opening reads the directory
 * and the pickle; a storage's bytes are read when a tensor in it is.
 */
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Storage } from '#lib/checkpoint/tensor.ts';
import type { Source } from '#lib/file/source.ts';
import { entrySource, readEntry, type Zip } from '#lib/file/zip.read.ts';
import { readPickle } from '#lib/pickle/read.ts';
import type { Format } from './format.ts';
import { interpret, type StorageReference } from './torch.interpret.ts';
import { isAllowed } from './torch.names.ts';
import { judge } from './torch.safety.ts';
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
    const bigEndian = (await textRecord(zip!, `${root}byteorder`, signal)) === 'big';
    const pickle = readPickle(await pickleBytes(zip!, root, signal));
    const findings = judge(pickle.calls, pickle.globals.values());
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
        ['byteorder', bigEndian ? 'big' : 'little'],
        ['pickle protocol', String(pickle.protocol)],
      ]),
      findings,
      calls: pickle.calls.map(({ name, count, global }) => ({
        name,
        count,
        allowed: isAllowed(global),
      })),
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

async function textRecord(zip: Zip, name: string, signal?: AbortSignal): Promise<string | null> {
  const entry = zip.entries.get(name);
  return entry ? new TextDecoder().decode(await readEntry(zip, entry, signal)).trim() : null;
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
  if (bigEndian && dtype === 'untyped') {
    throw new Error(`torch: record "data/${key}" is untyped in a big-endian file`);
  }
  // A complex number is two floats, each swapped by itself.
  const word = dtype.startsWith('complex') ? size / 2 : size;
  let source: Promise<Source> | undefined;
  return {
    key,
    location,
    byteLength,
    async read(start, end, signal) {
      source ??= entrySource(zip, entry);
      const bytes = await (await source).read(start, end, signal);
      return bigEndian ? swapBytes(bytes, word) : bytes;
    },
  };
}

function swapBytes(bytes: Uint8Array, word: number): Uint8Array {
  const out = bytes.slice();
  for (let at = 0; at < out.length; at += word) out.subarray(at, at + word).reverse();
  return out;
}
