/**
 * The way back from `torch.interpret.ts`: tensors, dicts, bytes, sets, complex numbers and sizes as
 * the calls that PyTorch's `weights_only` unpickler reads, in the form in which torch.save writes
 * them. What PyTorch would refuse is an Error that names it.
 */
import { itemsize, type Dtype } from '#lib/checkpoint/dtype.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { rewrite } from '#lib/checkpoint/rewrite.ts';
import {
  isMeta,
  type Quantization,
  type SparseTensor,
  type Storage,
  type Tensor,
} from '#lib/checkpoint/tensor.ts';
import {
  Dict,
  dict,
  tuple,
  type Call,
  type Global,
  type ObjectValue,
  type PersistentId,
  type Value,
} from '#lib/checkpoint/value.ts';
import { isAllowed, storageClass, UNTYPED } from './torch.names.ts';

/** A storage to be written, with the dtype of the first tensor in it. */
export interface StoredStorage {
  readonly storage: Storage;
  readonly dtype: Dtype | 'untyped';
}

/**
 * Returns the tree for the pickle writer and the storages in the order of their keys, `0`, `1`, ….
 * `idTail` follows the five items of each persistent id. Throws an Error that names what PyTorch
 * would refuse.
 */
export function express(
  root: Value,
  idTail: readonly Value[] = [],
): { root: Value; storages: StoredStorage[] } {
  const storages = new Storages(idTail);
  const before = (value: ObjectValue): Value => {
    switch (value.kind) {
      case 'tensor':
        return expressTensor(value, storages);
      case 'sparse':
        return expressSparse(value);
      case 'persistent':
        return storages.own(value);
      case 'dict':
        return expressDict(value);
      case 'tuple':
        if (value.type === 'tuple') return value;
        return reduce(global('torch', 'Size'), tuple(...value.items));
      case 'bytes':
        return value.mutable
          ? reduce(global('__builtin__', 'bytearray'), latin1(value.bytes), 'latin-1')
          : reduce(global('_codecs', 'encode'), latin1(value.bytes), 'latin1');
      case 'set':
        if (value.frozen) throw new Error('torch: weights_only cannot read a frozenset');
        return reduce(global('__builtin__', 'set'), { kind: 'list', items: value.items });
      case 'complex':
        return reduce(global('__builtin__', 'complex'), value.real, value.imaginary);
      case 'global':
        if (!isAllowed(value)) {
          throw new FindingError({
            code: 'torch-refused-name',
            where: `${value.module}.${value.name}`,
            message: `torch: weights_only refuses the name ${value.module}.${value.name}`,
            advice: 'Save the weights alone: they need no name of a class.',
          });
        }
        return global(value.module, value.name);
      case 'list':
      case 'call':
        return value;
      default:
        return value satisfies never;
    }
  };
  return { root: rewrite(root, { before }), storages: storages.all() };
}

/** Persistent ids of storages, one for each, numbered as they come up. */
class Storages {
  readonly #ids = new Map<
    Storage,
    { id: PersistentId; dtype: StoredStorage['dtype']; viewed: StoredStorage['dtype'] }
  >();
  readonly #made = new Set<PersistentId>();
  readonly #tail: readonly Value[];

  constructor(tail: readonly Value[]) {
    this.#tail = tail;
  }

  all(): StoredStorage[] {
    return [...this.#ids].map(([storage, { viewed }]) => ({ storage, dtype: viewed }));
  }

  id(storage: Storage, viewed: Dtype | 'untyped'): PersistentId {
    // Dtypes without a class of their own are told by the tensors: they may share a storage.
    const dtype = viewed !== 'untyped' && storageClass(viewed) ? viewed : 'untyped';
    const known = this.#ids.get(storage);
    if (known) {
      if (known.dtype === dtype) return known.id;
      throw new Error(
        `torch: one storage is viewed as ${known.dtype} and as ${dtype}, which PyTorch refuses to save`,
      );
    }
    const className = dtype === 'untyped' ? undefined : storageClass(dtype);
    const size = dtype === 'untyped' ? 1 : itemsize(dtype);
    const count = storage.byteLength / size;
    if (!Number.isInteger(count)) {
      throw new Error(`torch: a storage of ${storage.byteLength} bytes holds no whole ${dtype}s`);
    }
    const id: PersistentId = {
      kind: 'persistent',
      id: tuple(
        'storage',
        className ? global('torch', className) : global('torch.storage', UNTYPED),
        String(this.#ids.size),
        'cpu',
        BigInt(count),
        ...this.#tail,
      ),
    };
    this.#ids.set(storage, { id, dtype, viewed });
    this.#made.add(id);
    return id;
  }

  /** An id that a file brought, as one of these. */
  own(id: PersistentId): PersistentId {
    if (this.#made.has(id)) return id;
    if (id.storage?.offset === 0) return this.id(id.storage.storage, id.storage.dtype);
    throw new Error('torch: a reference to something outside of the pickle cannot be written');
  }
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

const rebuild = (name: string) => global('torch._utils', name);
const ints = (values: readonly number[]) => tuple(...values.map(BigInt));
/** torch.save writes the hooks of a tensor as an empty OrderedDict. */
const noHooks = () => new Dict([], 'OrderedDict');

/** The data, around it what makes a parameter or a subclass of it. */
function expressTensor(tensor: Tensor, storages: Storages): Call {
  const { parameter, requiresGrad, subclass, state } = tensor;
  if (tensor.numpy) throw new Error('torch: weights_only refuses an array of NumPy');
  const data = expressData(tensor, storages);
  if (subclass || (state !== undefined && !parameter)) {
    const whole = parameter
      ? reduce(rebuild('_rebuild_parameter'), data, requiresGrad, noHooks())
      : data;
    return reduce(
      global('torch._tensor', '_rebuild_from_type_v2'),
      whole.callable as Global,
      subclass ?? global('torch', 'Tensor'),
      whole.args,
      state ?? null,
    );
  }
  if (!parameter) return data;
  if (state === undefined) {
    return reduce(rebuild('_rebuild_parameter'), data, requiresGrad, noHooks());
  }
  return reduce(rebuild('_rebuild_parameter_with_state'), data, requiresGrad, noHooks(), state);
}

function expressData(tensor: Tensor, storages: Storages): Call {
  const { dtype, shape, strides, storage, quantization } = tensor;
  const requiresGrad = tensor.requiresGrad && !tensor.parameter;
  if (isMeta(storage)) {
    return reduce(
      rebuild('_rebuild_meta_tensor_no_storage'),
      global('torch', dtype),
      ints(shape),
      ints(strides),
      requiresGrad,
    );
  }
  const view = [storages.id(storage, dtype), BigInt(tensor.offset), ints(shape), ints(strides)];
  if (quantization) {
    const quantizer = expressQuantizer(quantization);
    return reduce(rebuild('_rebuild_qtensor'), ...view, quantizer, requiresGrad, noHooks());
  }
  const isTyped = storageClass(dtype) !== undefined;
  const bits = viewBits(tensor);
  return reduce(
    rebuild(isTyped ? '_rebuild_tensor_v2' : '_rebuild_tensor_v3'),
    ...view,
    requiresGrad,
    noHooks(),
    ...(isTyped ? [] : [global('torch', dtype)]),
    ...(bits.size > 0 ? [bits] : []),
  );
}

function viewBits({ conj, neg }: Tensor): Dict {
  return dict({ ...(conj && { conj }), ...(neg && { neg }) });
}

function expressQuantizer(quantization: Quantization): Value {
  if (!('axis' in quantization)) {
    const { scheme, scale, zeroPoint } = quantization;
    return tuple(global('torch', scheme), scale, zeroPoint);
  }
  const { scales, zeroPoints, axis } = quantization;
  // As torch.save names it, also where scales and zero points are floats.
  return tuple(global('torch', 'per_channel_affine'), scales, zeroPoints, BigInt(axis));
}

function expressSparse(sparse: SparseTensor): Call {
  const { layout, shape, parts, coalesced, parameter, requiresGrad } = sparse;
  const data = reduce(
    rebuild('_rebuild_sparse_tensor'),
    reduce(global('torch.serialization', '_get_layout'), `torch.${layout}`),
    tuple(
      ...parts.map(([, tensor]) => tensor),
      { kind: 'tuple', items: shape.map(BigInt), type: 'torch.Size' },
      ...(coalesced === undefined ? [] : [coalesced]),
    ),
  );
  return parameter ? reduce(rebuild('_rebuild_parameter'), data, requiresGrad, noHooks()) : data;
}

function expressDict(value: Dict): Value {
  if (value.type === 'dict') return value;
  if (value.type === 'defaultdict') {
    throw new Error('torch: weights_only refuses a collections.defaultdict');
  }
  const call = reduce(global('collections', value.type));
  call.entries = [...value.entries()];
  if (value.attributes !== null) call.state = value.attributes;
  return call;
}

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
