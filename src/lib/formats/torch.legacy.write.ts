/**
 * Writes what `torch.save(…, _use_new_zipfile_serialization=False)` does, for PyTorch before 1.6:
 * magic number, protocol, sys_info, the object and the storages' keys as five pickles, then for each
 * key an int64 with its number of elements and the bytes (torch/serialization.py, `_legacy_save`).
 */
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { storageRange } from '#lib/checkpoint/read_tensor.ts';
import { rewrite } from '#lib/checkpoint/rewrite.ts';
import { ReadAhead } from '#lib/file/read_ahead.ts';
import { dict, list, type ObjectValue, type Value } from '#lib/checkpoint/value.ts';
import { countedSink, type Sink } from '#lib/file/sink.ts';
import { writePickle } from '#lib/pickle/write.ts';
import type { WriteOptions } from './format.ts';
import { express, type StoredStorage } from './torch.express.ts';
import { storageClass } from './torch.names.ts';

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001n;
/** Bytes of C's types on the machine that writes; readers do not look at them. */
const typeSizes = dict({ short: 2n, int: 4n, long: 4n });

/** The tree for the pickle writer, and storages. Throws an Error that names what PyTorch would refuse. */
export function plannedLegacy(root: Value) {
  rewrite(root, { before: mustBeReadable });
  // The sixth item of a persistent id is the part of the storage that a view means: all of it.
  const { root: expressed, storages } = express(root, [null]);
  const keyed = storages
    .map(({ storage, dtype }, index) => ({
      storage,
      key: String(index),
      count: storage.byteLength / classItemsize(dtype),
    }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  return { expressed, keyed };
}

/** Writes a tree of values. Throws an Error that names what PyTorch would refuse. */
export async function writeTorchLegacy(
  root: Value,
  sink: Sink,
  { signal, onProgress }: WriteOptions,
): Promise<void> {
  const { expressed, keyed } = plannedLegacy(root);
  const system = dict({
    protocol_version: PROTOCOL,
    little_endian: true,
    type_sizes: typeSizes,
  });
  const keys = list(...keyed.map(({ key }) => key));
  const { write } = countedSink(sink, onProgress);
  for (const value of [MAGIC, PROTOCOL, system, expressed, keys]) await write(writePickle(value));
  const reading = new ReadAhead(
    keyed.map(({ storage }) => storageRange(storage)),
    signal,
  );
  for (const { storage, count } of keyed) {
    await write(new Uint8Array(BigInt64Array.of(BigInt(count)).buffer));
    for await (const chunk of reading.next(storage.byteLength)) await write(chunk);
  }
}

/** Storages come after the pickle, and the sizes that a nested tensor is made of lie in one. */
function mustBeReadable(value: ObjectValue): ObjectValue {
  if (value.kind !== 'call' || !isGlobal(value.callable, '_rebuild_nested_tensor')) return value;
  throw new FindingError({
    code: 'torch-legacy-write-nested',
    message:
      'torch: the format from before 1.6 has no nested tensors: PyTorch would make them too early',
    advice: 'Save it as .pt, or drop them first.',
  });
}

function isGlobal(value: Value, name: string): boolean {
  return typeof value === 'object' && value?.kind === 'global' && value.name === name;
}

/** PyTorch reads this format back only where the storage has a class that names the dtype. */
function classItemsize(dtype: StoredStorage['dtype']): number {
  if (dtype !== 'untyped' && storageClass(dtype)) return itemsize(dtype);
  throw new FindingError({
    code: 'torch-legacy-write-dtype',
    message: `torch: the format from before 1.6 has no storage of ${dtype} elements`,
    advice: 'Save it as .pt, or convert these tensors first.',
  });
}
