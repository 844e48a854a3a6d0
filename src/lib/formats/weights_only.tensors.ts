/**
 * What PyTorch's functions that rebuild tensors (torch/_utils.py, 2.13) check of their arguments:
 * types, sizes against the storage, which dtypes can require gradients. What they accept of
 * arguments that torch.save never writes is Unsure.
 */
import { dtypes } from '#lib/checkpoint/dtype.ts';
import {
  dtypeOf,
  dtypeSize,
  hashed,
  isDifferentiable,
  isKind,
  isName,
  kindOf,
  Refused,
  truth,
  aType,
  Unsure,
  type Py,
  type PyStorage,
  type PyTensor,
  type Work,
} from './weights_only.values.ts';

type Rebuild = (args: readonly Py[], work: Work) => Py;

export const rebuilders: ReadonlyMap<string, Rebuild> = new Map(
  (
    [
      ['_rebuild_tensor', rebuildTensor],
      ['_rebuild_tensor_v2', rebuildTensorV2],
      ['_rebuild_tensor_v3', rebuildTensorV3],
      ['_rebuild_parameter', rebuildParameter],
      ['_rebuild_parameter_with_state', rebuildParameterWithState],
      ['_rebuild_qtensor', rebuildQuantized],
      ['_rebuild_sparse_tensor', rebuildSparse],
      ['_rebuild_meta_tensor_no_storage', rebuildMeta],
      ['_rebuild_device_tensor_from_numpy', refuseNumpy],
      ['_rebuild_device_tensor_from_cpu_tensor', rebuildOnDevice],
    ] satisfies [string, Rebuild][]
  ).map(([name, rebuild]) => [`torch._utils.${name}`, rebuild]),
);

function arity(name: string, args: readonly Py[], least: number, most = least): void {
  if (args.length >= least && args.length <= most) return;
  throw new Refused(`it would call ${name} with ${args.length} arguments`);
}

const INT64 = 2n ** 63n;

function rebuildTensor(args: readonly Py[]): PyTensor {
  arity('_rebuild_tensor', args, 4);
  return strided(args);
}

function rebuildTensorV2(args: readonly Py[]): PyTensor {
  arity('_rebuild_tensor_v2', args, 6, 7);
  const tensor = strided(args);
  checkGradient(args[4]!, tensor.dtype);
  setMetadata(args[6] ?? null, tensor.dtype);
  return tensor;
}

/** `torch.empty((0,), dtype=storage.dtype).set_(storage, offset, size, stride)`. */
function strided([storage, offset, size, stride]: readonly Py[]): PyTensor {
  if (!isKind(storage, 'storage')) throw notKnownOr(storage!, 'in the place of a storage');
  const { dtype } = storage;
  return { ...view(storage, dtype, offset!, size!, stride!), dtype };
}

function notKnownOr(value: Py, where: string): Unsure | Refused {
  if (isKind(value, 'opaque')) return new Unsure(`what stands ${where}`);
  return new Refused(`${aType(value)} stands ${where}`);
}

function view(storage: PyStorage, dtype: string, offset: Py, size: Py, stride: Py): PyTensor {
  if (typeof offset !== 'bigint') throw notKnownOr(offset, 'in the place of an offset');
  const shape = ints(size, 'sizes');
  const strides = stride === null ? [] : ints(stride, 'strides');
  const isContiguous = strides.length === 0;
  if (!isContiguous && strides.length !== shape.length) {
    throw new Refused(`a tensor has ${shape.length} sizes and ${strides.length} strides`);
  }
  if (offset < 0n || offset >= INT64) throw new Refused(`a tensor starts at ${offset}`);
  const numel = elements(shape);
  const tensor: PyTensor = {
    kind: 'tensor',
    parameter: false,
    dtype,
    shape,
    layout: 'strided',
    meta: false,
  };
  if (numel === 0n) return tensor;
  let last = offset + 1n;
  if (isContiguous) last += numel - 1n;
  else shape.forEach((count, axis) => (last += (count - 1n) * strides[axis]!));
  const needed = last * dtypeSize(dtype);
  if (shape.some((count, axis) => count > 1n && strides[axis]! < 0n) || needed >= INT64) {
    throw new Refused('a tensor reaches in front of its storage, or too far');
  }
  if (needed > storage.bytes) {
    if (!storage.grows) {
      throw new Refused(`a tensor needs ${needed} bytes of a storage of ${storage.bytes}`);
    }
    if (storage.isView) throw new Unsure('a view that grows');
    storage.bytes = needed;
  }
  return tensor;
}

/** The items of a tuple or list of ints. */
function ints(value: Py, what: string): bigint[] {
  if (!isKind(value, 'tuple') && !isKind(value, 'list')) throw notKnownOr(value, `for the ${what}`);
  return value.items.map((item, index) => {
    if (typeof item === 'bigint') {
      if (item >= INT64 || item < -INT64) throw new Refused(`${item} stands among the ${what}`);
      return item;
    }
    const isOdd = (typeof item === 'boolean' && index > 0) || isKind(item, 'tensor');
    if (isOdd || isKind(item, 'opaque')) throw new Unsure(`the ${what} of a tensor`);
    throw new Refused(`${aType(item)} stands among the ${what}`);
  });
}

/** The number of elements; PyTorch multiplies in 64 bits. */
function elements(shape: readonly bigint[]): bigint {
  if (shape.some((count) => count < 0n)) throw new Refused('a size of a tensor is negative');
  const product = shape.reduce((all, count) => all * count, 1n);
  const nonzero = shape.reduce((all, count) => all * (count || 1n), 1n);
  if (product >= INT64) throw new Refused('a tensor has more elements than fit into 64 bits');
  if (nonzero >= INT64) throw new Unsure('a tensor without elements and with huge sizes');
  return product;
}

/** `tensor.requires_grad = value`. */
function checkGradient(value: Py, dtype: string): void {
  if (typeof value !== 'boolean') throw notKnownOr(value, 'for requires_grad');
  if (value && !isDifferentiable(dtype)) {
    throw new Refused(`a tensor of ${dtype} cannot require gradients`);
  }
}

/** `set_tensor_metadata`: conjugate and negative bits; other entries change nothing on the CPU. */
function setMetadata(metadata: Py, dtype: string): void {
  if (!truth(metadata)) return;
  if (!isKind(metadata, 'dict')) throw notKnownOr(metadata, "for a tensor's metadata");
  for (const [key, value] of metadata.entries) {
    if (typeof key !== 'string') throw notKnownOr(key, "as a key of a tensor's metadata");
    if (typeof value !== 'boolean') throw new Unsure(`the metadata ${JSON.stringify(key)}`);
    if (key === 'conj' && kindOf(dtype) !== 'complex') {
      throw new Refused(`a tensor of ${dtype} cannot be conjugate`);
    }
  }
}

/** `torch.empty((0,), dtype=dtype, requires_grad=…).set_(storage._untyped_storage, …)`. */
function rebuildTensorV3(args: readonly Py[]): PyTensor {
  arity('_rebuild_tensor_v3', args, 7, 8);
  const [storage, offset, size, stride, requiresGrad, , type, metadata = null] = args;
  if (!isKind(storage, 'storage')) throw notKnownOr(storage!, 'in the place of a storage');
  const dtype = type === null ? 'float32' : dtypeOf(type!);
  if (dtype === undefined) throw notKnownOr(type!, 'in the place of a dtype');
  if (requiresGrad !== null && typeof requiresGrad !== 'boolean') {
    throw notKnownOr(requiresGrad!, 'for requires_grad');
  }
  // An in-place operation on a leaf that requires gradients.
  if (requiresGrad) throw new Refused('_rebuild_tensor_v3 sets a tensor that requires gradients');
  const tensor = view(storage, dtype, offset!, size!, stride!);
  setMetadata(metadata, dtype);
  return tensor;
}

/** `torch.nn.Parameter(data=None, requires_grad=True)`. */
export function parameter(args: readonly Py[]): Py {
  arity('Parameter', args, 0, 2);
  const [data = null, requiresGrad = true] = args;
  if (data !== null && !isKind(data, 'tensor')) throw notKnownOr(data, 'in a Parameter');
  if (isKind(requiresGrad, 'name')) throw new Unsure('a name for requires_grad');
  if (typeof requiresGrad !== 'boolean') throw notKnownOr(requiresGrad, 'for requires_grad');
  const tensor: PyTensor = data ?? {
    kind: 'tensor',
    parameter: true,
    dtype: 'float32',
    shape: [0n],
    layout: 'strided',
    meta: false,
  };
  if (requiresGrad && !isDifferentiable(tensor.dtype)) {
    throw new Refused(`a Parameter of ${tensor.dtype} cannot require gradients`);
  }
  return { ...tensor, parameter: true };
}

function rebuildParameter(args: readonly Py[]): Py {
  arity('_rebuild_parameter', args, 3);
  return parameterOf(args);
}

function rebuildParameterWithState(args: readonly Py[], work: Work): Py {
  arity('_rebuild_parameter_with_state', args, 4);
  const made = parameterOf(args);
  setState(args[3]!, work);
  return made;
}

function parameterOf([data, requiresGrad]: readonly Py[]): Py {
  return parameter([data!, requiresGrad!]);
}

/** Attributes of a tensor that code answers for when they are set (torch 2.13). */
export const guardedAttributes: ReadonlySet<string> = new Set(
  (
    'H T __class__ __cuda_array_interface__ __dict__ __weakref__ _backward_hooks _base _cdata _grad ' +
    '_grad_fn _has_symbolic_sizes_strides _post_accumulate_grad_hooks _python_dispatch _version data ' +
    'device dtype grad grad_dtype grad_fn imag is_cpu is_cuda is_ipu is_leaf is_maia is_meta is_mkldnn ' +
    'is_mps is_mtia is_nested is_quantized is_sparse is_sparse_csr is_vulkan is_xla is_xpu itemsize ' +
    'layout mH mT name nbytes ndim output_nr real requires_grad retains_grad shape volatile'
  ).split(' '),
);

/** `_set_obj_state`: the attributes of a tensor, from a dict or from two. */
export function setState(state: Py, work: Work): void {
  const isPair = isKind(state, 'tuple');
  if (isPair && state.items.length !== 2) {
    throw new Refused(`the state of a tensor is a tuple of ${state.items.length}`);
  }
  for (const attributes of isPair ? state.items : [state]) {
    if (!truth(attributes)) continue;
    if (!isKind(attributes, 'dict')) throw notKnownOr(attributes, 'for the state of a tensor');
    work.spend(attributes.entries.size);
    for (const key of attributes.entries.keys()) {
      if (typeof key !== 'string') throw notKnownOr(hashed(key), 'for the name of an attribute');
      if (guardedAttributes.has(key)) throw new Unsure(`the attribute ${key} of a tensor`);
    }
  }
}

/** Dtypes of scales and of zero points that torch.save writes. */
const ofScales = ['float64', 'float32'];
const ofZeroPoints = ['int64', 'float32'];
const perChannel = ['torch.per_channel_affine', 'torch.per_channel_affine_float_qparams'];

/** `(storage, offset, size, stride, (scheme, …), requires_grad, hooks)`. */
function rebuildQuantized(args: readonly Py[]): PyTensor {
  arity('_rebuild_qtensor', args, 7);
  const [storage, , size, , quantizer, requiresGrad] = args;
  if (!isKind(storage, 'storage')) throw notKnownOr(storage!, 'in the place of a storage');
  if (!isKind(quantizer, 'tuple')) throw new Unsure('a quantizer that is no tuple');
  const [scheme, scale, zeroPoint, axis] = quantizer.items;
  const isWhole = dtypes[storage.dtype].kind === 'quantized' && !/\dx\d/.test(storage.dtype);
  if (!isName(scheme) || !isWhole) throw new Unsure('a quantized tensor of an unusual kind');
  if (requiresGrad !== false) throw new Unsure('a quantized tensor that requires gradients');
  const tensor = strided(args);
  if (scheme.path === 'torch.per_tensor_affine') {
    const isKnown = typeof scale === 'number' && typeof zeroPoint === 'bigint';
    if (quantizer.items.length !== 3 || !isKnown) throw new Unsure('the scale of a tensor');
    return tensor;
  }
  const shape = ints(size!, 'sizes');
  const isAxis = typeof axis === 'bigint' && axis >= 0n && axis < BigInt(shape.length);
  if (!perChannel.includes(scheme.path) || quantizer.items.length !== 4 || !isAxis)
    throw new Unsure('the axis of a tensor');
  for (const part of [scale, zeroPoint]) {
    if (!isPlain(part) || part.shape.length !== 1) throw new Unsure('the scales of a tensor');
    if (!(part === scale ? ofScales : ofZeroPoints).includes(part.dtype)) {
      throw new Unsure('the dtype of scales or zero points');
    }
    if (part.shape[0] !== shape[Number(axis)]) {
      throw new Refused(
        `a tensor has ${shape[Number(axis)]} channels and ${part.shape[0]} scales or zero points`,
      );
    }
  }
  return tensor;
}

/** A strided tensor with elements. */
function isPlain(value: Py | undefined): value is PyTensor {
  return isKind(value, 'tensor') && value.layout === 'strided' && !value.meta;
}

const compressed = ['torch.sparse_csr', 'torch.sparse_csc', 'torch.sparse_bsr', 'torch.sparse_bsc'];

/** `(layout, (…parts, size[, is_coalesced]))`: its indices are not checked on loading. */
function rebuildSparse(args: readonly Py[]): PyTensor {
  arity('_rebuild_sparse_tensor', args, 2);
  const [layout, data] = args;
  if (!isKind(layout, 'layout')) throw new Unsure('the layout of a sparse tensor');
  if (layout.name === 'torch.strided' || !/sparse/.test(layout.name!)) {
    throw new Refused(`it rebuilds a sparse tensor of the layout ${layout.name}`);
  }
  if (!isKind(data, 'tuple')) throw new Unsure('the parts of a sparse tensor');
  const isCoo = !compressed.includes(layout.name!);
  const parts = data.items.slice(0, isCoo ? 2 : 3);
  const [size, coalesced = null] = data.items.slice(isCoo ? 2 : 3);
  if (!parts.every(isPlain) || !isKind(size, 'tuple') || data.items.length > 4) {
    throw new Unsure('the parts of a sparse tensor');
  }
  const shape = ints(size, 'sizes');
  const fits = isCoo
    ? fitsCoo(parts, shape, coalesced)
    : fitsCompressed(parts, shape, layout.name!);
  if (!fits) throw new Unsure('a sparse tensor whose parts do not fit');
  const { dtype } = parts.at(-1)!;
  return { kind: 'tensor', parameter: false, dtype, shape, layout: 'sparse', meta: false };
}

function fitsCoo(parts: readonly PyTensor[], shape: readonly bigint[], coalesced: Py): boolean {
  const [indices, values] = parts as [PyTensor, PyTensor];
  const [axes, count] = indices.shape;
  if (indices.dtype !== 'int64' || indices.shape.length !== 2) return false;
  if (values.shape[0] !== count || (coalesced !== null && typeof coalesced !== 'boolean')) {
    return false;
  }
  const dense = shape.slice(Number(axes));
  return BigInt(shape.length) >= axes! && dense.join() === values.shape.slice(1).join();
}

/**
 * `[…batch, rows + 1]`, `[…batch, count]` and `[…batch, count, …block, …dense]` for the shape
 * `[…batch, rows × block, columns × block, …dense]`.
 */
function fitsCompressed(
  [outer, inner, values]: readonly PyTensor[],
  shape: readonly bigint[],
  layout: string,
): boolean {
  const isBlocked = /_bs/.test(layout);
  const batch = outer!.shape.slice(0, -1);
  const starts = (parts: readonly bigint[]) => parts.slice(0, batch.length).join() === batch.join();
  if (!outer!.shape.length || ![inner!.shape, values!.shape, shape].every(starts)) return false;
  if (outer!.dtype !== 'int64' || inner!.dtype !== 'int64') return false;
  const [count, ...rest] = values!.shape.slice(batch.length);
  const [high = 1n, wide = 1n] = isBlocked ? rest.splice(0, 2) : [];
  const [rows, columns, ...dense] = shape.slice(batch.length);
  if (rows === undefined || columns === undefined || high === 0n || wide === 0n) return false;
  const lines = /c$/.test(layout) ? columns / wide : rows / high;
  return (
    rows % high === 0n &&
    columns % wide === 0n &&
    dense.join() === rest.join() &&
    outer!.shape.at(-1) === lines + 1n &&
    inner!.shape.slice(batch.length).join() === String(count)
  );
}

/** `torch.empty_strided(size, stride, dtype=dtype, device="meta", requires_grad=…)`. */
function rebuildMeta(args: readonly Py[]): PyTensor {
  arity('_rebuild_meta_tensor_no_storage', args, 4);
  const [type, size, stride, requiresGrad] = args;
  const dtype = dtypeOf(type!);
  const shape = ints(size!, 'sizes');
  const strides = ints(stride!, 'strides');
  if (shape.length !== strides.length) throw new Refused('a tensor has more sizes than strides');
  if (dtype === undefined || kindOf(dtype) === 'quantized' || !kindOf(dtype)) {
    throw new Unsure('the dtype of a meta tensor');
  }
  if (typeof requiresGrad !== 'boolean') throw notKnownOr(requiresGrad!, 'for requires_grad');
  checkGradient(requiresGrad, dtype);
  const last = shape.reduce((sum, count, axis) => sum + (count - 1n) * strides[axis]!, 1n);
  if (elements(shape) > 0n && (strides.some((step) => step < 0n) || last * 16n >= INT64)) {
    throw new Unsure('the strides of a meta tensor');
  }
  return { kind: 'tensor', parameter: false, dtype, shape, layout: 'strided', meta: true };
}

/** `torch.from_numpy(data)`: no name on the allow-list makes an array. */
function refuseNumpy(args: readonly Py[]): never {
  arity('_rebuild_device_tensor_from_numpy', args, 4);
  if (isKind(args[0], 'opaque')) throw new Unsure('what a tensor is made of');
  throw new Refused('it makes a tensor of an array of NumPy, and weights_only makes no arrays');
}

/** `data.to(dtype=dtype, device=…)`; the device is the one that the file is loaded on. */
function rebuildOnDevice(args: readonly Py[]): PyTensor {
  arity('_rebuild_device_tensor_from_cpu_tensor', args, 4);
  const [data, type, device, requiresGrad] = args;
  if (!isPlain(data) || data.dtype !== dtypeOf(type!) || typeof device !== 'string') {
    throw new Unsure('a tensor that is moved to a device');
  }
  checkGradient(requiresGrad!, data.dtype);
  return data;
}
