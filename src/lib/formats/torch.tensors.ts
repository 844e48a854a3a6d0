/**
 * The calls that rebuild tensors (torch/_utils.py, torch/_tensor.py) as Tensors that read lazily.
 * Shapes, strides and offsets are checked against the storage before a tensor is made of them.
 */
import { dtypes, itemsize, wordSize, type Dtype } from '#lib/checkpoint/dtype.ts';
import { swapBytes } from '#lib/checkpoint/elements.ts';
import {
  metaStorage,
  numel,
  span,
  type Quantization,
  type SparseTensor,
  type Storage,
  type Tensor,
} from '#lib/checkpoint/tensor.ts';
import {
  Dict,
  isSparse,
  isTensor,
  tuple,
  type Call,
  type Global,
  type StorageView,
  type Value,
} from '#lib/checkpoint/value.ts';
import { argsOf, type Meaning } from './builtins.ts';
import { broken, isGlobal, natural, naturals, told } from './torch.storages.ts';

export const tensorMeanings: readonly [string, Meaning][] = [
  ['torch._utils._rebuild_tensor', rebuildTensor],
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  ['torch._utils._rebuild_tensor_v3', rebuildTensor],
  ['torch._utils._rebuild_qtensor', rebuildQuantized],
  ['torch._utils._rebuild_parameter', rebuildParameter],
  ['torch._utils._rebuild_parameter_with_state', rebuildParameter],
  ['torch._utils._rebuild_sparse_tensor', rebuildSparse],
  ['torch._utils._rebuild_sparse_csr_tensor', rebuildSparse],
  ['torch._utils._rebuild_meta_tensor_no_storage', rebuildMeta],
  ['torch._utils._rebuild_wrapper_subclass', rebuildWrapper],
  ['torch._utils._rebuild_device_tensor_from_numpy', rebuildOnDevice],
  ['torch._utils._rebuild_device_tensor_from_cpu_tensor', rebuildOnDevice],
  ['torch._utils._rebuild_xla_tensor', rebuildOnDevice],
  ['torch._tensor._rebuild_from_type_v2', rebuildSubclass],
  ['torch.Size', rebuildSize],
];
const byName = new Map(tensorMeanings);

/** `(storage, offset, size, stride[, requires_grad, hooks[, dtype or metadata[, metadata]]])`. */
function rebuildTensor(call: Call): Value | undefined {
  const args = argsOf(call);
  const { name } = call.callable as Global;
  const [id, offset, size, stride, requiresGrad = false, hooks] = args;
  const view = viewOf(id, name);
  const [dtypeName, metadata] =
    name === '_rebuild_tensor_v3' ? args.slice(6) : [undefined, args[6]];
  const bits = viewBits(metadata);
  // Hooks are code; what other metadata there may be is not known: such a tensor stays a call.
  if (isFilled(hooks) || !bits) return undefined;
  const where = `storage ${JSON.stringify(view.storage.key)}`;
  const dtype = dtypeName === undefined ? view.dtype : dtypeOf(dtypeName, where);
  if (dtype === 'untyped') throw broken(`${where} is untyped and ${name} names no dtype`);
  const layout = layoutOf(offset, size, stride, where);
  return { ...stridedTensor(view, dtype, layout, requiresGrad === true), ...bits };
}

interface Layout {
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

export function layoutOf(
  offset: Value | undefined,
  size: Value | undefined,
  stride: Value | undefined,
  where: string,
): Layout {
  const layout = {
    offset: natural(offset, `${where}: a tensor's offset`),
    shape: naturals(size, `${where}: a tensor's size`),
    strides: naturals(stride, `${where}: a tensor's stride`),
  };
  if (layout.shape.length !== layout.strides.length) {
    throw broken(`${where}: size has ${layout.shape.length} axes, stride ${layout.strides.length}`);
  }
  if (!Number.isSafeInteger(numel(layout.shape) * MAX_ITEMSIZE)) {
    throw broken(`${where}: a tensor's size [${layout.shape.join(', ')}] is too large`);
  }
  return layout;
}

/** Bytes of a complex128. */
const MAX_ITEMSIZE = 16;

function viewOf(id: Value | undefined, name: string): StorageView {
  if (typeof id !== 'object' || id?.kind !== 'persistent' || !id.storage) {
    throw broken(`${name} has ${told(id)} in the place of its storage`);
  }
  return id.storage;
}

/** A view into a storage; what would reach out of it is refused. */
export function stridedTensor(
  view: StorageView,
  dtype: Dtype,
  { offset, shape, strides }: Layout,
  requiresGrad: boolean,
): Tensor {
  const tensor: Tensor = {
    kind: 'tensor',
    dtype,
    shape,
    strides,
    offset: view.offset + offset,
    storage: littleEndian(view.storage, wordSize(dtype)),
    requiresGrad,
    parameter: false,
  };
  const end = span(tensor)[1] * itemsize(dtype);
  const word = view.dtype === 'untyped' ? 1 : itemsize(view.dtype);
  const held = Math.min(view.storage.byteLength, (view.offset + view.numel) * word);
  if (!(end <= held)) {
    throw broken(
      `storage ${JSON.stringify(view.storage.key)} holds ${held} bytes, a tensor ${dtype} [${shape.join(', ')}] in it needs ${end}`,
    );
  }
  return tensor;
}

/** Storages whose words were turned round, so that tensors that share one go on sharing it. */
const turned = new WeakMap<Storage, Storage>();

/** An untyped storage of a big-endian file: the first tensor in it says how long its words are. */
function littleEndian(storage: Storage, word: number): Storage {
  if (!storage.bigEndian) return storage;
  let made = turned.get(storage);
  if (!made) {
    made = {
      ...storage,
      bigEndian: undefined,
      async read(start, end, signal) {
        return swapBytes(await storage.read(start, end, signal), word);
      },
    };
    turned.set(storage, made);
  }
  return made;
}

/** `{conj: True, neg: True}`, or undefined for metadata of another kind. */
function viewBits(metadata: Value | undefined): Pick<Tensor, 'conj' | 'neg'> | undefined {
  if (!isFilled(metadata)) return {};
  if (!(metadata instanceof Dict)) return undefined;
  const bits: { conj?: true; neg?: true } = {};
  for (const [key, value] of metadata.entries()) {
    if ((key !== 'conj' && key !== 'neg') || typeof value !== 'boolean') return undefined;
    if (value) bits[key] = true;
  }
  return bits;
}

export function isFilled(value: Value | undefined): boolean {
  if (value === undefined || value === null) return false;
  return !(value instanceof Dict) || value.size > 0;
}

function dtypeOf(value: Value | undefined, where: string): Dtype {
  if (!isGlobal(value) || value.module !== 'torch' || !Object.hasOwn(dtypes, value.name)) {
    throw broken(`${where}: the dtype ${told(value)} is not supported`);
  }
  return value.name as Dtype;
}

/** Dtypes whose rows are packed below a byte an element: their strides do not count the bytes. */
const packedQuantized: readonly Dtype[] = ['quint4x2', 'quint2x4'];

/** `(storage, offset, size, stride, quantizer, requires_grad, hooks)`. */
function rebuildQuantized(call: Call): Value | undefined {
  const [id, offset, size, stride, quantizer, requiresGrad, hooks] = argsOf(call);
  const view = viewOf(id, '_rebuild_qtensor');
  const where = `storage ${JSON.stringify(view.storage.key)}`;
  const quantization = quantizationOf(quantizer);
  if (view.dtype === 'untyped' || !quantization || isFilled(hooks)) return undefined;
  if (packedQuantized.includes(view.dtype)) return undefined;
  const layout = layoutOf(offset, size, stride, where);
  if ('axis' in quantization && !fitsAxis(quantization, layout.shape)) {
    throw broken(
      `${where}: the scales do not fit axis ${quantization.axis} of [${layout.shape.join(', ')}]`,
    );
  }
  return { ...stridedTensor(view, view.dtype, layout, requiresGrad === true), quantization };
}

/** `(scheme, scale, zero_point)` or `(scheme, scales, zero_points, axis)`. */
function quantizationOf(value: Value | undefined): Quantization | undefined {
  const items = typeof value === 'object' && value?.kind === 'tuple' ? value.items : [];
  const [scheme, scale, zeroPoint, axis] = items;
  if (!isGlobal(scheme) || scheme.module !== 'torch') return undefined;
  if (scheme.name === 'per_tensor_affine') {
    if (typeof scale !== 'number' || typeof zeroPoint !== 'bigint') return undefined;
    return { scheme: scheme.name, scale, zeroPoint };
  }
  if (scheme.name === 'per_channel_affine' || scheme.name === 'per_channel_affine_float_qparams') {
    if (!isTensor(scale) || !isTensor(zeroPoint) || typeof axis !== 'bigint') return undefined;
    const at = natural(axis, 'the axis of a quantized tensor');
    // torch.save names both kinds alike; the dtype of the zero points tells them apart.
    const isFloat = dtypes[zeroPoint.dtype].kind === 'float';
    const name = isFloat ? 'per_channel_affine_float_qparams' : 'per_channel_affine';
    return { scheme: name, scales: scale, zeroPoints: zeroPoint, axis: at };
  }
  return undefined;
}

function fitsAxis(
  { scales, zeroPoints, axis }: Extract<Quantization, { axis: number }>,
  shape: readonly number[],
): boolean {
  const channels = shape[axis];
  return [scales, zeroPoints].every(({ shape }) => shape.length === 1 && shape[0] === channels);
}

/** `(data, requires_grad, hooks[, state])`. */
function rebuildParameter(call: Call): Value | undefined {
  const [data, requiresGrad, hooks, state] = argsOf(call);
  if ((!isTensor(data) && !isSparse(data)) || isFilled(hooks)) return undefined;
  const parameter = { ...data, parameter: true, requiresGrad: requiresGrad === true };
  if (!isFilled(state)) return parameter;
  return parameter.kind === 'tensor' ? { ...parameter, state } : undefined;
}

/** Names of the parts of each layout, as torch's accessors call them. */
const sparseParts: Readonly<Record<SparseTensor['layout'], readonly string[]>> = {
  sparse_coo: ['indices', 'values'],
  sparse_csr: ['crow_indices', 'col_indices', 'values'],
  sparse_csc: ['ccol_indices', 'row_indices', 'values'],
  sparse_bsr: ['crow_indices', 'col_indices', 'values'],
  sparse_bsc: ['ccol_indices', 'row_indices', 'values'],
};

/** `(layout, (…parts, size[, is_coalesced]))`. */
function rebuildSparse(call: Call): Value | undefined {
  const [layoutCall, data] = argsOf(call);
  const layout = sparseLayout(layoutCall);
  const items = typeof data === 'object' && data?.kind === 'tuple' ? data.items : [];
  if (!layout) return undefined;
  const names = sparseParts[layout];
  const parts = names.map((name, index) => [name, items[index]] as const);
  const [size, coalesced] = items.slice(names.length);
  if (!parts.every((part): part is [string, Tensor] => isTensor(part[1]))) return undefined;
  return {
    kind: 'sparse',
    layout,
    shape: naturals(size, `the size of a ${layout} tensor`),
    parts,
    ...(typeof coalesced === 'boolean' && { coalesced }),
    requiresGrad: false,
    parameter: false,
  };
}

/** The layout in `torch.serialization._get_layout('torch.sparse_coo')`. */
function sparseLayout(value: Value | undefined): SparseTensor['layout'] | undefined {
  if (typeof value !== 'object' || value?.kind !== 'call') return undefined;
  const [text] = argsOf(value);
  const name = typeof text === 'string' ? text.replace(/^torch\./, '') : '';
  return Object.hasOwn(sparseParts, name) ? (name as SparseTensor['layout']) : undefined;
}

/** `(dtype, size, stride, requires_grad)`: a tensor of which the file holds no elements. */
function rebuildMeta(call: Call): Value | undefined {
  const [dtype, size, stride, requiresGrad] = argsOf(call);
  return metaTensor(dtype, layoutOf(0n, size, stride, 'a meta tensor'), requiresGrad === true);
}

/** `(class, dtype, size, stride, offset, layout, device, requires_grad)`: its parts are its state. */
function rebuildWrapper(call: Call): Value | undefined {
  const [subclass, dtype, size, stride, offset, , , requiresGrad] = argsOf(call);
  if (!isGlobal(subclass)) return undefined;
  const layout = layoutOf(offset, size, stride, `a tensor of ${told(subclass)}`);
  return { ...metaTensor(dtype, layout, requiresGrad === true), subclass };
}

function metaTensor(dtypeName: Value | undefined, layout: Layout, requiresGrad: boolean): Tensor {
  const dtype = dtypeOf(dtypeName, 'a meta tensor');
  const [, end] = span(layout);
  if (!Number.isSafeInteger(end * MAX_ITEMSIZE)) {
    throw broken(`a meta tensor [${layout.shape.join(', ')}] is too large`);
  }
  const storage = metaStorage(end * itemsize(dtype));
  return { kind: 'tensor', dtype, ...layout, storage, requiresGrad, parameter: false };
}

/** `(data, dtype, device, requires_grad)`: how devices without storages of their own are saved. */
function rebuildOnDevice(call: Call): Value | undefined {
  const [data, dtypeName, device, requiresGrad] = argsOf(call);
  if (!isTensor(data) || typeof device !== 'string') return undefined;
  const dtype = dtypeOf(dtypeName, `a tensor on ${device}`);
  if (dtype !== data.dtype && !(dtype === 'bfloat16' && data.dtype === 'float32')) return undefined;
  const { numpy, ...tensor } = data;
  const storage = dtype === data.dtype ? data.storage : upperHalves(data.storage);
  return {
    ...tensor,
    dtype,
    storage: { ...storage, location: device },
    requiresGrad: requiresGrad === true,
  };
}

/** NumPy lacks bfloat16: torch saves it as float32, whose upper halves are the elements. */
function upperHalves(storage: Storage): Storage {
  return {
    ...storage,
    byteLength: storage.byteLength / 2,
    async read(start, end, signal) {
      const whole = await storage.read(2 * start, 2 * end, signal);
      const halves = new Uint8Array(end - start);
      for (let at = 0; at < halves.length; at += 2) {
        if (whole[2 * at] || whole[2 * at + 1]) {
          throw new Error(
            'torch: a bfloat16 tensor is stored as float32 with more digits than it has',
          );
        }
        halves[at] = whole[2 * at + 2]!;
        halves[at + 1] = whole[2 * at + 3]!;
      }
      return halves;
    },
  };
}

/** `(function, class, args, state)`: the function's tensor as a subclass, with attributes. */
function rebuildSubclass(call: Call): Value | undefined {
  const [callable, subclass, args, state] = argsOf(call);
  if (!isGlobal(callable) || !isGlobal(subclass) || args === undefined) return undefined;
  const full = `${callable.module}.${callable.name}`;
  if (full === SUBCLASS) return undefined; // torch never nests it
  const data = byName.get(full)?.({ kind: 'call', callable, args, how: 'reduce' });
  if (!isTensor(data)) return undefined;
  const isPlain = subclass.module === 'torch' && subclass.name === 'Tensor';
  return {
    ...data,
    ...(!isPlain && { subclass }),
    ...(state !== undefined && state !== null && { state }),
  };
}
const SUBCLASS = 'torch._tensor._rebuild_from_type_v2';

function rebuildSize(call: Call): Value | undefined {
  const [items = tuple()] = argsOf(call);
  if (typeof items !== 'object' || (items?.kind !== 'tuple' && items?.kind !== 'list')) {
    return undefined;
  }
  return { kind: 'tuple', items: items.items, type: 'torch.Size' };
}
