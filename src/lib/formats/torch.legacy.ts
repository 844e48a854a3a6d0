/**
 * Reads what `torch.save` wrote before 1.6, and still writes on demand: five pickles in a row
 * (magic number, protocol, sys_info, the object, the storages' keys), then for each key an int64
 * with its number of elements and the raw bytes (torch/serialization.py, `_legacy_load`). Both are
 * little-endian, whatever sys_info says: big-endian machines turn them round on writing
 * (torch/csrc/serialization.cpp, `THPStorage_writeFileRaw`). Opening reads the pickles at the front of
 * the file; a storage's bytes are read when a tensor in it is.
 */
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Storage } from '#lib/checkpoint/tensor.ts';
import type { Value } from '#lib/checkpoint/value.ts';
import { sliceSource, type Source } from '#lib/file/source.ts';
import { readPickle, type Pickle } from '#lib/pickle/read.ts';
import type { Format } from './format.ts';
import { interpret } from './torch.interpret.ts';
import { plannedLegacy, writeTorchLegacy } from './torch.legacy.write.ts';
import { judge, recordsOf } from './torch.safety.ts';
import { ClassSources } from './torch.sources.ts';
import { isStorageId, told, type StorageReference } from './torch.storages.ts';

/** PROTO, LONG1 and the magic number 0x1950a86a20f9469cfc6c, STOP. The protocol may vary. */
const MAGIC = [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];
/** The only protocol version there ever was. */
const PROTOCOL = 1001n;
/** Bytes that are read first to find the pickles in; doubled while they do not end there. */
const FIRST_READ = 2 ** 20;
/** The pickles are read as a whole; those of a checkpoint with a million tensors take some 200 MB. */
const MAX_PICKLES = 2 ** 30;
/** The number of elements before each storage. */
const COUNT_SIZE = 8;

export const torchLegacy: Format = {
  name: 'torch-legacy',
  title: 'PyTorch checkpoint (before 1.6)',
  extensions: ['.pth', '.pt'],

  match: ({ head }) => head[0] === 0x80 && MAGIC.every((byte, at) => head[2 + at] === byte),

  async read({ source }, signal) {
    const { protocol, object, keys, end } = await readPickles(source, signal);
    if (protocol !== PROTOCOL) throw broken(`protocol ${told(protocol)} is unknown`);
    const findings = judge(object);
    const records = new Map<string, Record>();
    const storageOf = (reference: StorageReference) => {
      const known = records.get(reference.key);
      if (known) return known.storage;
      const record = makeRecord(source, reference);
      records.set(reference.key, record);
      return record.storage;
    };
    const sources = new ClassSources();
    const root = interpret(object.value, storageOf, (reference) =>
      isStorageId(reference) ? undefined : sources.take(reference.id),
    );
    placeRecords(source, records, keys, end);
    return {
      name: source.name,
      format: 'torch-legacy',
      size: source.size,
      root,
      metadata: new Map([
        ['byteorder', 'little'],
        ['pickle protocol', String(object.protocol)],
      ]),
      findings: [...sources.findings(), ...findings],
      calls: recordsOf(object),
      sources: sources.list,
    };
  },

  check: plannedLegacy,
  write: writeTorchLegacy,
};

function broken(message: string): FindingError {
  return new FindingError({
    code: 'torch-legacy-broken',
    message: `torch: ${message}`,
    advice: 'The file is damaged or cut off: get it again from where it came from.',
  });
}

interface Front {
  readonly protocol: Value;
  readonly object: Pickle;
  readonly keys: Value;
  /** Where the storages begin. */
  readonly end: number;
}

/** The five pickles at the front. Nothing says how long they are, so more is read as needed. */
async function readPickles(source: Source, signal?: AbortSignal): Promise<Front> {
  const limit = Math.min(source.size, MAX_PICKLES);
  for (let size = Math.min(FIRST_READ, limit); ; size = Math.min(2 * size, limit)) {
    const bytes = await source.read(0, size, signal);
    try {
      const magic = readPickle(bytes);
      const protocol = readPickle(bytes, magic.end);
      const system = readPickle(bytes, protocol.end);
      const object = readPickle(bytes, system.end);
      const keys = readPickle(bytes, object.end);
      return {
        protocol: protocol.value,
        object,
        keys: keys.value,
        end: keys.end,
      };
    } catch (error) {
      const cutOff = error instanceof FindingError && error.finding.code === 'pickle-broken';
      if (!cutOff || size >= limit) throw error;
    }
  }
}

/** A storage whose place in the file is known once all of them are. */
interface Record {
  readonly reference: StorageReference;
  readonly storage: Storage;
  /** Offset of its element count. */
  start: number;
}

function makeRecord(source: Source, reference: StorageReference): Record {
  const { key, location, dtype, numel } = reference;
  const size = dtype === 'untyped' ? 1 : itemsize(dtype);
  let checked: Promise<Source> | undefined;
  const record: Record = {
    reference,
    start: -1,
    storage: {
      key,
      location,
      byteLength: numel * size,
      get place() {
        return { file: source, at: record.start };
      },
      ...(source.fresh && { fresh: true as const }),
      async read(start, end, signal) {
        checked ??= payload(source, record);
        return (await checked).read(start, end, signal);
      },
    },
  };
  return record;
}

/** The bytes behind the element count, which must be the pickle's. */
async function payload(source: Source, record: Record): Promise<Source> {
  const { start, reference, storage } = record;
  const bytes = await source.read(start, start + COUNT_SIZE);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getBigInt64(0, true);
  if (count !== BigInt(reference.numel)) {
    throw broken(
      `storage ${JSON.stringify(reference.key)} holds ${count} elements, the pickle says ${reference.numel}`,
    );
  }
  const from = start + COUNT_SIZE;
  return sliceSource(source, from, from + storage.byteLength, source.name);
}

/** The storages lie one behind the other in the order of the keys. */
function placeRecords(
  source: Source,
  records: ReadonlyMap<string, Record>,
  keys: Value,
  end: number,
): void {
  if (typeof keys !== 'object' || keys?.kind !== 'list')
    throw broken('the list of keys is no list');
  let at = end;
  for (const key of keys.items) {
    const record = typeof key === 'string' ? records.get(key) : undefined;
    if (!record) throw broken(`no tensor uses the storage ${told(key)}`);
    record.start = at;
    at += COUNT_SIZE + record.storage.byteLength;
    if (at > source.size) {
      throw broken(
        `storage ${JSON.stringify(key)} ends at byte ${at}, the file at byte ${source.size}`,
      );
    }
  }
  const lost = [...records.values()].find(({ start }) => start < 0);
  if (lost)
    throw broken(`storage ${JSON.stringify(lost.reference.key)} is not in the list of keys`);
}
