/**
 * Between what a pickle says and what torch means by it. `interpret` turns the calls that rebuild
 * tensors, parameters and OrderedDicts into those things, by an allow-list; every other call stays
 * the inert data it is. `express` is the way back, in the form that `weights_only` reads.
 */
import { dtypes, itemsize, type Dtype } from '#lib/checkpoint/dtype.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { rewrite } from '#lib/checkpoint/rewrite.ts';
import { numel, span, type Storage, type Tensor } from '#lib/checkpoint/tensor.ts';
import {
  Dict,
  isDict,
  isTensor,
  tuple,
  type Call,
  type Global,
  type ObjectValue,
  type PersistentId,
  type Value,
} from '#lib/checkpoint/value.ts';
import { isAllowed, storageClass, storageDtype, UNTYPED } from './torch.names.ts';

/** A storage as a persistent id names it: `('storage', class, key, location, numel)`. */
export interface StorageReference {
  readonly dtype: Dtype | 'untyped';
  readonly key: string;
  readonly location: string;
  /** Elements of `dtype`; bytes where it is untyped. */
  readonly numel: number;
  /** Where the part begins that this reference means, in elements. */
  readonly offset: number;
}

/** Gives the calls that torch's files are made of their meaning. */
export function interpret(root: Value, storageOf: (reference: StorageReference) => Storage): Value {
  const storages = new Map<PersistentId, { reference: StorageReference; storage: Storage }>();
  const resolve = (id: PersistentId) => {
    let known = storages.get(id);
    if (!known) {
      const reference = parseStorageId(id);
      storages.set(id, (known = { reference, storage: storageOf(reference) }));
    }
    return known;
  };
  return rewrite(root, {
    after(value) {
      if (value.kind !== 'call' || !isGlobal(value.callable)) return value;
      const meaning = meanings.get(`${value.callable.module}.${value.callable.name}`);
      const made = meaning?.(value, resolve);
      if (made === undefined) return value;
      // What the pickle does to the result afterwards must not get lost: only dicts keep it.
      const { state, entries, appended } = value;
      const isChanged = appended || (!isDict(made) && (state !== undefined || entries));
      return isChanged ? value : made;
    },
  });
}

type Resolve = (id: PersistentId) => { reference: StorageReference; storage: Storage };
/** What a call means, or undefined where its arguments are none that torch writes. */
type Meaning = (call: Call, resolve: Resolve) => Value | undefined;

const meanings = new Map<string, Meaning>([
  ['torch._utils._rebuild_tensor', rebuildTensor],
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  ['torch._utils._rebuild_tensor_v3', rebuildTensor],
  ['torch._utils._rebuild_parameter', rebuildParameter],
  ['collections.OrderedDict', (call) => rebuildDict(call, 'OrderedDict')],
  ['collections.Counter', (call) => rebuildDict(call, 'Counter')],
  // The factory of a defaultdict matters to who adds to it, not to what it holds.
  ['collections.defaultdict', (call) => rebuildDict({ ...call, args: tuple() }, 'defaultdict')],
  ['_codecs.encode', encodedBytes],
  ...['builtins', '__builtin__'].flatMap((module): [string, Meaning][] => [
    [`${module}.set`, (call) => rebuildSet(call, false)],
    [`${module}.frozenset`, (call) => rebuildSet(call, true)],
    [`${module}.bytes`, rebuildEmptyBytes],
    [`${module}.bytearray`, rebuildBytearray],
    [`${module}.complex`, rebuildComplex],
  ]),
  ['torch.Size', rebuildSize],
]);

function isGlobal(value: Value): value is Global {
  return typeof value === 'object' && value?.kind === 'global';
}

function argsOf(call: Call): Value[] {
  return typeof call.args === 'object' && call.args?.kind === 'tuple' ? call.args.items : [];
}

function broken(message: string): FindingError {
  return new FindingError({
    code: 'torch-broken',
    message: `torch: ${message}`,
    advice: 'The file is damaged or was not written by PyTorch: get it again, or save it again.',
  });
}

function parseStorageId({ id }: PersistentId): StorageReference {
  const items = typeof id === 'object' && id?.kind === 'tuple' ? id.items : [];
  const [type, storageType, key, location, size, view] = items;
  const dtype = storageType !== undefined && isGlobal(storageType) && storageDtype(storageType);
  if (
    type !== 'storage' ||
    typeof key !== 'string' ||
    typeof location !== 'string' ||
    typeof size !== 'bigint'
  ) {
    throw broken('a persistent id is not of the form (storage, class, key, location, numel)');
  }
  if (!dtype) {
    const name = storageType !== undefined && isGlobal(storageType) ? storageType.name : 'unknown';
    throw broken(`storage ${JSON.stringify(key)} has the unsupported class ${name}`);
  }
  const where = `storage ${JSON.stringify(key)}`;
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

function natural(value: Value | undefined, what: string): number {
  if (typeof value !== 'bigint' || value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw broken(`${what} is ${String(value)}, expected a non-negative int`);
  }
  return Number(value);
}

function naturals(value: Value | undefined, what: string): number[] {
  if (typeof value !== 'object' || value?.kind !== 'tuple') throw broken(`${what} is no tuple`);
  return value.items.map((item) => natural(item, what));
}

/** `(storage, offset, size, stride[, requires_grad, hooks[, dtype or metadata[, metadata]]])`. */
function rebuildTensor(call: Call, resolve: Resolve): Value | undefined {
  const args = argsOf(call);
  const name = (call.callable as Global).name;
  const [id, offset, size, stride, requiresGrad = false, hooks] = args;
  if (typeof id !== 'object' || id?.kind !== 'persistent') throw broken(`${name} has no storage`);
  const { reference, storage } = resolve(id);
  const [dtypeName, metadata] =
    name === '_rebuild_tensor_v3' ? args.slice(6) : [undefined, args[6]];
  const where = `storage ${JSON.stringify(reference.key)}`;
  // Hooks and conjugate or negative views change what the bytes mean: such a tensor stays a call.
  if (isFilled(hooks) || isFilled(metadata)) return undefined;
  const dtype = dtypeName === undefined ? reference.dtype : dtypeOf(dtypeName, where);
  if (dtype === 'untyped') throw broken(`${where} is untyped and ${name} names no dtype`);
  const tensor: Tensor = {
    kind: 'tensor',
    dtype,
    shape: naturals(size, `${where}: a tensor's size`),
    strides: naturals(stride, `${where}: a tensor's stride`),
    offset: reference.offset + natural(offset, `${where}: a tensor's offset`),
    storage,
    requiresGrad: requiresGrad === true,
    parameter: false,
  };
  if (tensor.shape.length !== tensor.strides.length) {
    throw broken(`${where}: size has ${tensor.shape.length} axes, stride ${tensor.strides.length}`);
  }
  const end = span(tensor)[1] * itemsize(dtype);
  if (!(numel(tensor.shape) <= Number.MAX_SAFE_INTEGER) || !(end <= storage.byteLength)) {
    throw broken(
      `${where} holds ${storage.byteLength} bytes, a tensor ${dtype} [${tensor.shape.join(', ')}] in it needs ${end}`,
    );
  }
  return tensor;
}

function isFilled(value: Value | undefined): boolean {
  if (value === undefined || value === null) return false;
  return !(value instanceof Dict) || value.size > 0;
}

function dtypeOf(value: Value, where: string): Dtype {
  if (!isGlobal(value) || value.module !== 'torch' || !Object.hasOwn(dtypes, value.name)) {
    const name = isGlobal(value) ? `${value.module}.${value.name}` : 'no dtype';
    throw broken(`${where}: the dtype ${name} is not supported`);
  }
  return value.name as Dtype;
}

/** `(data, requires_grad, hooks)`. */
function rebuildParameter(call: Call): Value | undefined {
  const [data, requiresGrad, hooks] = argsOf(call);
  if (!isTensor(data) || isFilled(hooks)) return undefined;
  return { ...data, parameter: true, requiresGrad: requiresGrad === true };
}

/** Entries come by SETITEMS, or (Python 2) as a list of pairs; attributes by BUILD. */
function rebuildDict(call: Call, type: Dict['type']): Value | undefined {
  const dict = new Dict([], type);
  const [initial] = argsOf(call);
  if (initial instanceof Dict) {
    for (const [key, value] of initial.entries()) dict.set(key, value);
  } else if (initial !== undefined) {
    if (typeof initial !== 'object' || initial?.kind !== 'list') return undefined;
    for (const pair of initial.items) {
      const items =
        typeof pair === 'object' && (pair?.kind === 'list' || pair?.kind === 'tuple')
          ? pair.items
          : [];
      if (items.length !== 2) return undefined;
      dict.set(items[0]!, items[1]!);
    }
  }
  for (const [key, value] of call.entries ?? []) dict.set(key, value);
  if (call.state !== undefined) {
    if (!(call.state instanceof Dict)) return undefined;
    dict.attributes = call.state;
  }
  return dict;
}

/** Protocol 2 has no bytes: Python 3 writes them as `_codecs.encode(text, 'latin1')`. */
function encodedBytes(call: Call): Value | undefined {
  const [text, codec] = argsOf(call);
  if (typeof text !== 'string' || (codec !== 'latin1' && codec !== 'latin-1')) return undefined;
  return latin1Bytes(text, false);
}

/** `bytes()`: protocol 2's form of `b''`. */
function rebuildEmptyBytes(call: Call): Value | undefined {
  if (argsOf(call).length > 0) return undefined;
  return { kind: 'bytes', bytes: new Uint8Array(), mutable: false };
}

function latin1Bytes(text: string, mutable: boolean): Value | undefined {
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  for (const [index, byte] of bytes.entries()) {
    if (byte !== text.charCodeAt(index)) return undefined;
  }
  return { kind: 'bytes', bytes, mutable };
}

function rebuildBytearray(call: Call): Value | undefined {
  const [content, codec] = argsOf(call);
  if (content === undefined) return { kind: 'bytes', bytes: new Uint8Array(), mutable: true };
  if (typeof content === 'string') {
    return codec === 'latin-1' || codec === 'latin1' ? latin1Bytes(content, true) : undefined;
  }
  if (typeof content === 'object' && content?.kind === 'bytes')
    return { ...content, mutable: true };
  return undefined;
}

function rebuildSet(call: Call, frozen: boolean): Value | undefined {
  const [items] = argsOf(call);
  if (items === undefined) return { kind: 'set', items: [], frozen };
  if (typeof items !== 'object' || items?.kind !== 'list') return undefined;
  return { kind: 'set', items: items.items, frozen };
}

function rebuildComplex(call: Call): Value | undefined {
  const [real, imaginary] = argsOf(call);
  if (typeof real !== 'number' || typeof imaginary !== 'number') return undefined;
  return { kind: 'complex', real, imaginary };
}

function rebuildSize(call: Call): Value | undefined {
  const [items] = argsOf(call);
  if (typeof items !== 'object' || items?.kind !== 'tuple') return undefined;
  return { kind: 'tuple', items: items.items, type: 'torch.Size' };
}

/** Globals are shared, so that the pickle names each once. */
const globals = new Map<string, Global>();
function global(module: string, name: string): Global {
  const full = `${module}.${name}`;
  let known = globals.get(full);
  if (!known) globals.set(full, (known = { kind: 'global', module, name }));
  return known;
}

function reduce(callable: Global, ...args: Value[]): Call {
  return { kind: 'call', callable, args: tuple(...args), how: 'reduce' };
}

/**
 * The way back: tensors, OrderedDicts, bytes, sets, complex numbers and sizes as the calls that
 * `weights_only` reads. Returns the tree for the pickle writer and the storages in the order of
 * their keys. Throws an Error that names what PyTorch would refuse.
 */
export function express(root: Value): { root: Value; storages: Storage[] } {
  const storages = new Map<Storage, { id: PersistentId; dtype: Dtype }>();
  const ids = new Set<PersistentId>();

  const storageId = (tensor: Tensor): PersistentId => {
    const { storage, dtype } = tensor;
    const known = storages.get(storage);
    if (known) {
      if (known.dtype !== dtype) {
        throw new Error(
          `torch: one storage is viewed as ${known.dtype} and as ${dtype}, which PyTorch refuses to save`,
        );
      }
      return known.id;
    }
    const className = storageClass(dtype);
    const count = className ? storage.byteLength / itemsize(dtype) : storage.byteLength;
    if (!Number.isInteger(count)) {
      throw new Error(`torch: a storage of ${storage.byteLength} bytes holds no whole ${dtype}s`);
    }
    const id: PersistentId = {
      kind: 'persistent',
      id: tuple(
        'storage',
        className ? global('torch', className) : global('torch.storage', UNTYPED),
        String(storages.size),
        'cpu',
        BigInt(count),
      ),
    };
    storages.set(storage, { id, dtype });
    ids.add(id);
    return id;
  };

  const expressTensor = (tensor: Tensor): Value => {
    const ints = (values: readonly number[]) => tuple(...values.map(BigInt));
    const typed = storageClass(tensor.dtype) !== undefined;
    const requiresGrad = tensor.requiresGrad && !tensor.parameter;
    const data = reduce(
      global('torch._utils', typed ? '_rebuild_tensor_v2' : '_rebuild_tensor_v3'),
      storageId(tensor),
      BigInt(tensor.offset),
      ints(tensor.shape),
      ints(tensor.strides),
      requiresGrad,
      new Dict([], 'OrderedDict'),
      ...(typed ? [] : [global('torch', tensor.dtype)]),
    );
    if (!tensor.parameter) return data;
    return reduce(
      global('torch._utils', '_rebuild_parameter'),
      data,
      tensor.requiresGrad,
      new Dict([], 'OrderedDict'),
    );
  };

  const before = (value: ObjectValue): Value => {
    switch (value.kind) {
      case 'tensor':
        return expressTensor(value);
      case 'sparse':
        throw new Error('torch: sparse tensors cannot be written yet');
      case 'dict': {
        if (value.type === 'dict') return value;
        if (value.type === 'defaultdict') {
          throw new Error('torch: weights_only refuses a collections.defaultdict');
        }
        const call = reduce(global('collections', value.type));
        call.entries = [...value.entries()];
        if (value.attributes !== null) call.state = value.attributes;
        return call;
      }
      case 'tuple':
        return value.type === 'tuple'
          ? value
          : reduce(global('torch', 'Size'), tuple(...value.items));
      case 'bytes': {
        let text = '';
        for (const byte of value.bytes) text += String.fromCharCode(byte);
        return value.mutable
          ? reduce(global('__builtin__', 'bytearray'), text, 'latin-1')
          : reduce(global('_codecs', 'encode'), text, 'latin1');
      }
      case 'set':
        if (value.frozen) throw new Error('torch: weights_only cannot read a frozenset');
        return reduce(global('__builtin__', 'set'), { kind: 'list', items: value.items });
      case 'complex':
        return reduce(global('__builtin__', 'complex'), value.real, value.imaginary);
      case 'global':
        if (!isAllowed(value)) {
          throw new Error(`torch: weights_only refuses the name ${value.module}.${value.name}`);
        }
        return global(value.module, value.name);
      case 'persistent':
        if (ids.has(value)) return value;
        throw new Error('torch: a storage without a tensor cannot be written');
      case 'list':
      case 'call':
        return value;
      default:
        return value satisfies never;
    }
  };

  return { root: rewrite(root, { before }), storages: [...storages.keys()] };
}
