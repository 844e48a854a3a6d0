/**
 * What Python would hold at each point while PyTorch's `weights_only` unpickler runs, as far as its
 * checks depend on it: types and numbers, never elements of tensors. What becomes of a value that
 * cannot be known without running Python is `opaque`; whoever needs to know is Unsure.
 */
import { dtypes, type Dtype, type DtypeKind } from '#lib/checkpoint/dtype.ts';
import { allowedNames, storageDtype } from './torch.names.ts';

export type Py = null | boolean | bigint | number | string | PyObject;
export type PyObject =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly mutable: boolean }
  | { readonly kind: 'list'; readonly items: Py[] }
  | PyTuple
  | { readonly kind: 'set'; readonly items: ReadonlySet<Py> }
  | PyDict
  | PyName
  | PyStorage
  | PyTensor
  | { readonly kind: 'complex' }
  | { readonly kind: 'device' }
  /** `torch.sparse_coo` */
  | { readonly kind: 'layout'; readonly name: string }
  | { readonly kind: 'opaque' };

export interface PyTuple {
  readonly kind: 'tuple';
  readonly items: readonly Py[];
  readonly type: 'tuple' | 'torch.Size';
  /** Whether Python can use it as a key: all that it holds must have a hash. */
  readonly hash: 'has' | 'lacks' | 'unknown';
  readonly depth: number;
}
export interface PyDict {
  readonly kind: 'dict';
  readonly type: 'dict' | 'OrderedDict' | 'Counter';
  /** Keys that Python holds equal, such as 1 and True, may stand side by side: nothing asks. */
  readonly entries: Map<Py, Py>;
}
/** What a name of the allow-list stands for. */
export interface PyName {
  readonly kind: 'name';
  readonly path: string;
}
export interface PyStorage {
  readonly kind: 'storage';
  readonly dtype: Dtype;
  bytes: bigint;
  /** Files from before 1.6 are read after their tensors were made: a view may let these grow. */
  readonly grows: boolean;
  /** A part of another storage. */
  readonly isView?: true;
}
export interface PyTensor {
  readonly kind: 'tensor';
  /** The class: a Parameter is a Tensor by another name. */
  readonly parameter: boolean;
  /** Without `torch.` */
  readonly dtype: string;
  readonly shape: readonly bigint[];
  readonly layout: 'strided' | 'sparse';
  readonly meta: boolean;
}
/** PyTorch raises here. The message goes on from "because": `it names os.system`. */
export class Refused extends Error {}
/** Whether PyTorch raises here cannot be told without running it. */
export class Unsure extends Error {}

export const opaque = { kind: 'opaque' } as const;

export function isKind<K extends PyObject['kind']>(
  value: Py | undefined,
  kind: K,
): value is Extract<PyObject, { readonly kind: K }> {
  return typeof value === 'object' && value !== null && value.kind === kind;
}

/** Python hashes nested tuples by recursion in C: deeper ones may crash it. */
const MAX_HASH_DEPTH = 1000;

export function tuple(items: readonly Py[], type: PyTuple['type'] = 'tuple'): PyTuple {
  let hash: PyTuple['hash'] = 'has';
  let depth = 1;
  for (const item of items) {
    if (item === null || typeof item !== 'object') continue;
    if (item.kind === 'tuple') depth = Math.max(depth, item.depth + 1);
    const its = hashOf(item);
    if (its === 'lacks') hash = 'lacks';
    else if (its === 'unknown' && hash === 'has') hash = 'unknown';
  }
  if (depth > MAX_HASH_DEPTH && hash === 'has') hash = 'unknown';
  return { kind: 'tuple', items, type, hash, depth };
}

function hashOf(value: Py): PyTuple['hash'] {
  if (value === null || typeof value !== 'object') return 'has';
  if (value.kind === 'tuple') return value.hash;
  if (value.kind === 'list' || value.kind === 'dict' || value.kind === 'set') return 'lacks';
  if (value.kind === 'bytes') return value.mutable ? 'lacks' : 'has';
  return value.kind === 'opaque' ? 'unknown' : 'has';
}

/** A key of a dict or an item of a set. */
export function hashed(value: Py): Py {
  const hash = hashOf(value);
  if (hash === 'lacks') throw new Refused(`${aType(value)} cannot be a key`);
  if (hash === 'unknown') throw new Unsure('a key is not known');
  return value;
}

/** Python's name of the value's type with an article, for a message: `an int`. */
export function aType(value: Py): string {
  const name = typeName(value);
  return `${/^[aeio]/i.test(name) ? 'an' : 'a'} ${name}`;
}

function typeName(value: Py): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'float';
  if (typeof value === 'string') return 'str';
  switch (value.kind) {
    case 'bytes':
      return value.mutable ? 'bytearray' : 'bytes';
    case 'tuple':
    case 'dict':
      return value.type;
    case 'name':
      return value.path;
    case 'tensor':
      return value.parameter ? 'Parameter' : 'Tensor';
    case 'opaque':
      return 'value that is not known';
    default:
      return value.kind;
  }
}

/** `bool(value)`. */
export function truth(value: Py): boolean {
  if (value === null) return false;
  if (typeof value === 'bigint') return value !== 0n;
  if (typeof value !== 'object') return Boolean(value) || Number.isNaN(value);
  switch (value.kind) {
    case 'bytes':
      return value.bytes.length > 0;
    case 'list':
    case 'tuple':
      return value.items.length > 0;
    case 'set':
      return value.items.size > 0;
    case 'dict':
      return value.entries.size > 0;
    case 'name':
    case 'device':
    case 'layout':
      return true;
    case 'storage':
      return value.bytes > 0n;
    case 'tensor':
    case 'complex':
    case 'opaque':
      throw new Unsure(`whether ${aType(value)} counts as true`);
    default:
      return value satisfies never;
  }
}

/** Items that are walked for all calls of a pickle together: sharing lets few bytes ask for many. */
const MAX_ITERATED = 50_000_000;

/** Counts what calls walk through. */
export class Work {
  #left = MAX_ITERATED;

  spend(count: number): void {
    this.#left -= count;
    if (this.#left < 0) throw new Unsure(`its calls walk through more than ${MAX_ITERATED} items`);
  }

  /** `list(value)`. */
  iterate(value: Py): readonly Py[] {
    if (typeof value === 'string') {
      this.spend(value.length);
      return [...value];
    }
    if (value !== null && typeof value === 'object') {
      switch (value.kind) {
        case 'list':
        case 'tuple':
          this.spend(value.items.length);
          return value.items;
        case 'set':
          this.spend(value.items.size);
          return [...value.items];
        case 'dict':
          this.spend(value.entries.size);
          return [...value.entries.keys()];
        case 'bytes':
          this.spend(value.bytes.length);
          return Array.from(value.bytes, BigInt);
        case 'storage':
        case 'tensor':
        case 'opaque':
          throw new Unsure(`what ${aType(value)} gives when it is walked through`);
        default:
      }
    }
    throw new Refused(`${aType(value)} stands where several values are expected`);
  }
}

const names = new Map<string, PyName>();

/** What stands for a name of the allow-list: the same object each time. */
export function nameOf(path: string): PyName {
  let known = names.get(path);
  if (!known) names.set(path, (known = { kind: 'name', path }));
  return known;
}

const classes = new Set(
  'collections.OrderedDict collections.Counter torch.Size torch.Tensor torch.device torch.nn.parameter.Parameter builtins.bytearray builtins.set builtins.complex torch.storage.UntypedStorage torch.storage.TypedStorage'.split(
    ' ',
  ),
);

/** What a name of the allow-list is, in Python. */
export function natureOf({
  path,
}: PyName): 'class' | 'tensor class' | 'function' | 'dtype' | 'storage type' | 'scheme' {
  if (classes.has(path)) return 'class';
  if (/\.\w+Tensor$/.test(path)) return 'tensor class';
  if (/^torch\.(cuda\.)?\w+Storage$/.test(path)) return 'storage type';
  if (/^torch\.per_(tensor|channel)_/.test(path)) return 'scheme';
  return /^torch\.[a-z0-9_]+$/.test(path) ? 'dtype' : 'function';
}

/** The dtype that a name stands for, without `torch.`; undefined for other values. */
export function dtypeOf(value: Py): string | undefined {
  const isDtype = isName(value) && natureOf(value) === 'dtype';
  return isDtype ? value.path.slice('torch.'.length) : undefined;
}

export function isName(value: Py | undefined): value is PyName {
  return isKind(value, 'name') && allowedNames.has(value.path);
}

/** `torch.FloatStorage` and its like, those of CUDA too: the dtype of their elements. */
export function storageTypeDtype({ path }: PyName): Dtype | undefined {
  const [, name] = /^torch\.(?:cuda\.)?(\w+)$/.exec(path) ?? [];
  const dtype = name && storageDtype({ kind: 'global', module: 'torch', name });
  return dtype === 'untyped' || dtype === '' ? undefined : dtype;
}

/** Bytes of an element; dtypes that the lab does not hold (int1 to int7, uint1 to uint7) take one. */
export function dtypeSize(dtype: string): bigint {
  return BigInt(Object.hasOwn(dtypes, dtype) ? dtypes[dtype as Dtype].size : 1);
}

/** Of the lab's dtypes. */
export function kindOf(dtype: string): DtypeKind | undefined {
  return Object.hasOwn(dtypes, dtype) ? dtypes[dtype as Dtype].kind : undefined;
}

/** Whether its tensors can require gradients. */
export function isDifferentiable(dtype: string): boolean {
  const kind = kindOf(dtype);
  return kind === 'float' || kind === 'complex' || dtype === 'float4_e2m1fn_x2';
}
