/**
 * The members `storages` and `tensors` of a tar file of PyTorch: what the persistent ids in the
 * member `pickle` stand for (torch/serialization.py, `legacy_load` in `_legacy_load`). Both begin
 * with a pickled count; the numbers between their pickles are little-endian.
 */
import { itemsize } from '#lib/checkpoint/dtype.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { tuple, type StorageView, type Value } from '#lib/checkpoint/value.ts';
import type { Source } from '#lib/file/source.ts';
import type { Budget, Pickle } from '#lib/pickle/read.ts';
import { storageDtype } from './torch.names.ts';
import { broken, isGlobal, natural, told } from './torch.storages.ts';
import { TarCursor } from './torch.tar.cursor.ts';
import { layoutOf, stridedTensor } from './torch.tensors.ts';
import { wordStorage } from './words.ts';

/** What persistent ids name: by numbers, the addresses that the objects had when they were saved. */
export interface TarObjects {
  readonly storages: ReadonlyMap<string, StorageView>;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** A pickle between the numbers of a member. */
export interface PlacedPickle extends Pickle {
  readonly member: Source;
  readonly start: number;
}

/** `onPickle` is told each pickle that names something, before what it says is looked at. */
export async function readTarObjects(
  members: { readonly storages: Source; readonly tensors: Source | undefined },
  budget: Budget,
  onPickle: (pickle: PlacedPickle) => void,
  signal?: AbortSignal,
): Promise<TarObjects> {
  const next = async (cursor: TarCursor): Promise<Value> => {
    const { at: start, source: member } = cursor;
    const pickle = await cursor.pickle();
    if (pickle.names.length > 0) onPickle({ ...pickle, end: cursor.at, member, start });
    return pickle.value;
  };
  const storages = await readStorages(members.storages, budget, next, signal);
  const tensors = members.tensors
    ? await readTensors(members.tensors, storages, budget, next, signal)
    : new Map<string, Tensor>();
  return { storages, tensors };
}

type Next = (cursor: TarCursor) => Promise<Value>;

/**
 * For each storage the pickle `(key, location, class)`, an int64 with its number of elements and the
 * bytes; then a list of the parts of storages that tensors looked into, `(key, whole, offset, numel)`.
 */
async function readStorages(source: Source, budget: Budget, next: Next, signal?: AbortSignal) {
  const cursor = new TarCursor(source, budget, signal);
  const storages = new Map<string, StorageView>();
  const count = natural(await next(cursor), 'the number of storages');
  for (let index = 0; index < count; index++) {
    const where = `storage ${index}`;
    const [id, location, storageClass] = itemsOf(await next(cursor), 3, where);
    const key = keyOf(id, `the key of ${where}`, storages);
    const dtype = isGlobal(storageClass) ? storageDtype(storageClass) : undefined;
    if (!dtype || dtype === 'untyped' || typeof location !== 'string') {
      throw broken(`${where} has the unsupported class ${told(storageClass)}`);
    }
    const words = (await cursor.bytes(8)).getBigInt64(0, true);
    const numel = natural(words, `the number of elements of ${where}`);
    const byteLength = numel * itemsize(dtype);
    const plain = wordStorage(source, key, cursor.at, byteLength, 1);
    cursor.skip(byteLength);
    storages.set(key, { storage: { ...plain, location }, dtype, offset: 0, numel });
  }
  if (cursor.left === 0) return storages;
  const views = await next(cursor);
  if (typeof views !== 'object' || views?.kind !== 'list') throw broken('the views are no list');
  for (const [index, view] of views.items.entries()) {
    const where = `view ${index}`;
    const [id, whole, ...range] = itemsOf(view, 4, where);
    const key = keyOf(id, `the key of ${where}`, storages);
    const [offset, numel] = range.map((item) => natural(item, `the range of ${where}`));
    const of = known(storages, whole, where);
    if (offset! + numel! > of.numel) {
      throw broken(`${where} ends at ${offset! + numel!} of ${of.numel} elements`);
    }
    storages.set(key, { ...of, offset: of.offset + offset!, numel: numel! });
  }
  return storages;
}

/**
 * For each tensor the pickle `(key, storage, class)`, then its rank as int32, 4 bytes without
 * meaning, and as int64 its sizes, its strides and its offset.
 */
async function readTensors(
  source: Source,
  storages: ReadonlyMap<string, StorageView>,
  budget: Budget,
  next: Next,
  signal?: AbortSignal,
) {
  const cursor = new TarCursor(source, budget, signal);
  const tensors = new Map<string, Tensor>();
  const count = natural(await next(cursor), 'the number of tensors');
  for (let index = 0; index < count; index++) {
    const [id, storageId] = itemsOf(await next(cursor), 3, `tensor ${index}`);
    const where = `tensor ${index}`;
    const key = keyOf(id, `the key of ${where}`, storages, tensors);
    const view = known(storages, storageId, where);
    const rank = natural(BigInt((await cursor.bytes(8)).getInt32(0, true)), `the rank of ${where}`);
    const longs = await cursor.bytes(8 * (2 * rank + 1));
    const long = (at: number) => longs.getBigInt64(8 * at, true);
    const axes = Array.from({ length: rank }, (_, axis) => axis);
    const size = tuple(...axes.map(long));
    const stride = tuple(...axes.map((axis) => long(rank + axis)));
    const layout = layoutOf(long(2 * rank), size, stride, where);
    if (view.dtype === 'untyped') throw broken(`${where} has no dtype`);
    tensors.set(key, stridedTensor(view, view.dtype, layout, false));
  }
  return tensors;
}

function itemsOf(value: Value, length: number, what: string): readonly Value[] {
  const items = typeof value === 'object' && value?.kind === 'tuple' ? value.items : [];
  if (items.length !== length) throw broken(`${what} is ${told(value)}, expected ${length} items`);
  return items;
}

/** A key that no other object has: readers would disagree on which one counts. */
function keyOf(
  value: Value | undefined,
  what: string,
  ...taken: readonly ReadonlyMap<string, unknown>[]
): string {
  if (typeof value !== 'bigint' && typeof value !== 'string') {
    throw broken(`${what} is ${told(value)}, expected an int`);
  }
  const key = String(value);
  if (taken.some((map) => map.has(key))) throw broken(`${what} is ${told(value)}, which is taken`);
  return key;
}

function known(
  storages: ReadonlyMap<string, StorageView>,
  key: Value | undefined,
  what: string,
): StorageView {
  const view =
    typeof key === 'bigint' || typeof key === 'string' ? storages.get(String(key)) : undefined;
  if (!view) throw broken(`${what} looks into the storage ${told(key)}, which the file lacks`);
  return view;
}
