/** How a pickle of torch refers to a storage: `('storage', class, key, location, numel)`. */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Global, PersistentId, Value } from '#lib/checkpoint/value.ts';
import { storageDtype } from './torch.names.ts';

/** A storage as a persistent id names it. */
export interface StorageReference {
  readonly dtype: Dtype | 'untyped';
  readonly key: string;
  readonly location: string;
  /** Elements of `dtype`; bytes where it is untyped. */
  readonly numel: number;
  /** Where the part begins that this reference means, in elements. */
  readonly offset: number;
}

export function isGlobal(value: Value | undefined): value is Global {
  return typeof value === 'object' && value?.kind === 'global';
}

/** Whether the id is one of a storage; legacy files name the classes of modules by such ids, too. */
export function isStorageId({ id }: PersistentId): boolean {
  return typeof id !== 'object' || id?.kind !== 'tuple' || id.items[0] !== 'module';
}

/** Throws a FindingError where the id has another form than torch writes. */
export function parseStorageId({ id }: PersistentId): StorageReference {
  const items = typeof id === 'object' && id?.kind === 'tuple' ? id.items : [];
  const [type, storageType, key, location, size, view] = items;
  if (
    type !== 'storage' ||
    typeof key !== 'string' ||
    typeof location !== 'string' ||
    typeof size !== 'bigint'
  ) {
    throw broken('a persistent id is not of the form (storage, class, key, location, numel)');
  }
  const where = `storage ${JSON.stringify(key)}`;
  const dtype = isGlobal(storageType) ? storageDtype(storageType) : undefined;
  if (!dtype) throw broken(`${where} has the unsupported class ${told(storageType)}`);
  return {
    dtype,
    key,
    location,
    numel: natural(size, `numel of ${where}`),
    offset: viewOffset(view, where),
  };
}

/** Old files name a part of a storage as `(key, offset, size)`: its tensors count from there. */
function viewOffset(view: Value | undefined, where: string): number {
  if (view === undefined || view === null) return 0;
  const items = typeof view === 'object' && view.kind === 'tuple' ? view.items : [];
  return natural(items[1], `the view's offset in ${where}`);
}

export function natural(value: Value | undefined, what: string): number {
  if (typeof value !== 'bigint' || value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw broken(`${what} is ${told(value)}, expected a non-negative int`);
  }
  return Number(value);
}

export function naturals(value: Value | undefined, what: string): number[] {
  if (typeof value !== 'object' || value?.kind !== 'tuple') {
    throw broken(`${what} is ${told(value)}, expected a tuple`);
  }
  return value.items.map((item) => natural(item, what));
}

/** A value in a few words, for a message. */
export function told(value: Value | undefined): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'None';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (typeof value !== 'object') return String(value).slice(0, 60);
  return value.kind === 'global' ? `${value.module}.${value.name}` : `a ${value.kind}`;
}

export function broken(message: string): FindingError {
  return new FindingError({
    code: 'torch-broken',
    message: `torch: ${message}`,
    advice: 'The file is damaged or was not written by PyTorch: get it again, or save it again.',
  });
}
