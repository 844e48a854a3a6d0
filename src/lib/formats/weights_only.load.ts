/**
 * What `torch.load(weights_only=True, map_location="cpu")` does around the unpickler
 * (torch/serialization.py, 2.13): which container it takes a file for, where it finds storages in
 * it, and what it checks of them. The device that a storage was saved from is left aside, as it
 * says nothing of the file.
 */
import { dtypes, type Dtype } from '#lib/checkpoint/dtype.ts';
import { judgePickle, type Judgement, type Outcome, type PersistentLoad } from './weights_only.ts';
import {
  dtypeSize,
  hashed,
  isKind,
  isName,
  Refused,
  storageTypeDtype,
  aType,
  Unsure,
  Work,
  type Py,
  type PyStorage,
} from './weights_only.values.ts';

/** The records of a zip that PyTorch wrote, as its reader finds them: below the first entry's folder. */
export interface Records {
  /** Size of a record; null where there is none. Throws Unsure where readers disagree. */
  size(name: string): number | null;
}

/** Judges the `data.pkl` of a zip. */
export function judgeZipPickle(pickle: Uint8Array, records: Records): Outcome {
  return judgePickle(pickle, 0, zipStorages(records));
}

/** `('storage', type, key, location, numel)`: the record `data/KEY`. */
function zipStorages(records: Records): PersistentLoad {
  const loaded = new Map<Py, PyStorage>();
  return (id) => {
    const [, type, key, location, numel] = itemsOf(id, 5);
    const isUntyped = isName(type) && type.path === UNTYPED;
    const dtype = isUntyped ? 'uint8' : storageDtypeOf(type!);
    const known = loaded.get(hashed(key!));
    if (known) return known;
    checkLocation(location!);
    const bytes = bytesOf(numel!, dtype);
    const name = `data/${keyText(key!)}`;
    const size = records.size(name);
    if (size === null) throw new Refused(`the record ${JSON.stringify(name)} is missing`);
    if (BigInt(size) !== bytes) {
      throw new Refused(
        `the record ${JSON.stringify(name)} holds ${size} bytes, and its storage ${bytes}`,
      );
    }
    const storage: PyStorage = { kind: 'storage', dtype, bytes, grows: false };
    // PyTorch takes a storage without bytes for one that it has yet to load.
    if (bytes > 0n) loaded.set(key!, storage);
    return storage;
  };
}

const UNTYPED = 'torch.storage.UntypedStorage';

function itemsOf(id: Py, count: number): readonly Py[] {
  const items = isKind(id, 'tuple') ? id.items : [];
  if (items.length !== count) throw new Refused(`a persistent id has ${items.length} items`);
  return items;
}

/** `storage_type.dtype`, which classes of tensors have, too. */
function storageDtypeOf(type: Py): Dtype {
  const dtype = isName(type) ? storageTypeDtype(type) : undefined;
  if (dtype) return dtype;
  const isNamed = isKind(type, 'name') && !/Tensor$/.test(type.path);
  const isPlain = type === null || typeof type !== 'object' || isKind(type, 'tuple');
  if (isNamed || isPlain || isKind(type, 'dict')) {
    throw new Refused(`${aType(type)} stands in the place of a storage's class`);
  }
  throw new Unsure("a storage's class");
}

/** With a `map_location` nothing of it is asked but that bytes are ASCII. */
function checkLocation(location: Py): void {
  if (isKind(location, 'opaque')) throw new Unsure('the location of a storage');
  if (isKind(location, 'bytes') && location.bytes.some((byte) => byte > 0x7f)) {
    throw new Refused('the location of a storage is no text');
  }
}

function bytesOf(numel: Py, dtype: Dtype): bigint {
  if (typeof numel !== 'bigint' && typeof numel !== 'boolean') {
    if (isKind(numel, 'tensor') || isKind(numel, 'opaque')) {
      throw new Unsure('the size of a storage');
    }
    throw new Refused(`a storage has ${aType(numel)} of elements`);
  }
  const bytes = BigInt(numel) * dtypeSize(dtype);
  if (bytes < 0n) throw new Refused('a storage has a negative number of elements');
  return bytes;
}

/** `f"{key}"`. */
function keyText(key: Py): string {
  if (typeof key === 'string' || typeof key === 'bigint') return String(key);
  if (key === null) return 'None';
  if (typeof key === 'boolean') return key ? 'True' : 'False';
  throw new Unsure(`a storage whose key is ${aType(key)}`);
}

/** What stands beside the pickle in a zip, a character for each byte; null where it is missing. */
export interface Surroundings {
  readonly version: string | null;
  readonly byteorder: string | null;
  readonly alignment: string | null;
  readonly identity: string | null;
  readonly isTorchScript: boolean;
}

/** The checks before the pickle of a zip is read. */
export function judgeSurroundings(zip: Surroundings): Judgement | null {
  const refused = (message: string): Judgement => ({ verdict: 'refused', reason: { message } });
  const { version, byteorder, alignment, identity, isTorchScript } = zip;
  if (version === null) return refused('the record "version" is missing');
  const number = /^\s*\+?(\d{1,18})/.exec(version)?.[1];
  if (!number || Number(number) < 1 || Number(number) > MAX_VERSION) {
    return refused(`the record "version" says ${JSON.stringify(version.slice(0, 20))}`);
  }
  if (isTorchScript) return refused('it is a TorchScript archive, which holds code');
  if (byteorder !== null && byteorder !== 'little' && byteorder !== 'big') {
    return refused('the record "byteorder" says neither little nor big');
  }
  if (alignment !== null && !/^\s*[+-]?\d+\s*$/.test(alignment)) {
    return refused('the record ".storage_alignment" is no number');
  }
  if (identity !== null && !isUtf8(identity)) {
    return refused('the record ".data/serialization_id" is no UTF-8');
  }
  return null;
}

function isUtf8(text: string): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(
      Uint8Array.from(text, (byte) => byte.charCodeAt(0)),
    );
    return true;
  } catch {
    return false;
  }
}

/** The newest version of the container that PyTorch reads (caffe2/serialize/versions.h). */
const MAX_VERSION = 10;

/** 0x1950a86a20f9469cfc6c, and the only protocol that there ever was. */
const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001n;

/** Reads `count` bytes behind the pickles at `offset` of the file; fewer where it ends. */
export type ReadAt = (offset: number, count: number) => Promise<Uint8Array>;

/** Judges a file from before 1.6, or whatever else is no zip: five pickles, then the storages. */
export async function judgeLegacy(
  front: Uint8Array,
  size: number,
  readAt: ReadAt,
): Promise<Judgement> {
  const magic = judgePickle(front);
  if (magic.verdict !== 'loads') return magic;
  if (magic.value !== MAGIC) return refusal('it does not begin with the number of torch.save');
  const protocol = judgePickle(front, magic.end);
  if (protocol.verdict !== 'loads') return protocol;
  if (protocol.value !== PROTOCOL) return refusal('its protocol is unknown');
  const system = judgePickle(front, protocol.end);
  if (system.verdict === 'refused') return system;
  const storages = new Map<Py, PyStorage>();
  const object = judgePickle(front, system.end, legacyStorages(storages));
  if (object.verdict === 'refused') return object;
  const keys = judgePickle(front, object.end);
  if (keys.verdict === 'refused') return keys;
  const unsure = [system, object, keys].find(({ verdict }) => verdict === 'unknown');
  if (unsure) return unsure;
  try {
    await checkStorages(keys, storages, size, readAt);
  } catch (error) {
    if (error instanceof Refused) return refusal(error.message);
    if (error instanceof Unsure) return { verdict: 'unknown', reason: { message: error.message } };
    throw error;
  }
  return { verdict: 'loads' };
}

function refusal(message: string): Judgement {
  return { verdict: 'refused', reason: { message } };
}

/** Storages that are allocated before their bytes are read; Python may or may not have so much. */
const MAX_ALLOCATED = 2n ** 40n;

/** `('storage', type, key, location, numel, view)`; the view is None or `(key, offset, size)`. */
function legacyStorages(storages: Map<Py, PyStorage>): PersistentLoad {
  return (id) => {
    const [, type, key, location, numel, part] = itemsOf(id, 6);
    if (isName(type) && type.path === UNTYPED) {
      throw new Refused('an UntypedStorage stands in a file from before 1.6');
    }
    const dtype = storageDtypeOf(type!);
    checkLocation(location!);
    const bytes = bytesOf(numel!, dtype);
    if (bytes > MAX_ALLOCATED) throw new Refused(`a storage takes ${bytes} bytes`);
    let storage = storages.get(hashed(key!));
    if (!storage) {
      storage = { kind: 'storage', dtype, bytes, grows: true };
      storages.set(key!, storage);
    } else if (storage.bytes === 0n) {
      storage = { kind: 'storage', dtype, bytes: 0n, grows: true };
    }
    return part === null ? storage : partOf(storage, part!, dtype, storages);
  };
}

function partOf(root: PyStorage, part: Py, dtype: Dtype, storages: Map<Py, PyStorage>): PyStorage {
  const items = new Work().iterate(part);
  if (items.length !== 3) throw new Refused(`the view of a storage has ${items.length} items`);
  const [key, offset, numel] = items as [Py, Py, Py];
  const known = storages.get(hashed(key));
  if (known) return known;
  const start = bytesOf(offset, dtype);
  const bytes = bytesOf(numel, dtype);
  if (start + bytes > root.bytes) throw new Unsure('a view that reaches out of its storage');
  const view: PyStorage = { kind: 'storage', dtype, bytes, grows: true, isView: true };
  storages.set(key, view);
  return view;
}

/** `_set_from_file` for each key: an int64 with the number of elements, and the bytes. */
async function checkStorages(
  keys: Outcome,
  storages: ReadonlyMap<Py, PyStorage>,
  size: number,
  readAt: ReadAt,
): Promise<void> {
  let at = keys.end;
  for (const key of new Work().iterate(keys.value!)) {
    const storage = storages.get(hashed(key));
    if (!storage) throw new Refused('its list of keys names a storage that no tensor uses');
    const head = await readAt(at, 8);
    if (head.length < 8) throw new Refused('it ends before its storages do');
    const count = new DataView(head.buffer, head.byteOffset, 8).getBigInt64(0, true);
    if (count * BigInt(dtypes[storage.dtype].size) !== storage.bytes) {
      throw new Refused(`a storage of ${storage.bytes} bytes stands with ${count} elements in it`);
    }
    at += 8 + Number(storage.bytes);
    if (at > size) throw new Refused('it ends before its storages do');
  }
}
