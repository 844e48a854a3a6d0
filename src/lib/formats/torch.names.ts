/**
 * The names that torch's files use: storage classes, dtypes, and the allow-list of PyTorch's
 * `weights_only` unpickler. From torch/storage.py, torch/serialization.py and
 * torch/_weights_only_unpickler.py (2.13).
 */
import { dtypes, type Dtype } from '#lib/checkpoint/dtype.ts';
import type { Global } from '#lib/checkpoint/value.ts';

/** The storage classes of `torch`, frozen since 1.x, and the dtype each one holds. */
const storageClasses: Record<string, Dtype> = {
  DoubleStorage: 'float64',
  FloatStorage: 'float32',
  HalfStorage: 'float16',
  BFloat16Storage: 'bfloat16',
  LongStorage: 'int64',
  IntStorage: 'int32',
  ShortStorage: 'int16',
  CharStorage: 'int8',
  ByteStorage: 'uint8',
  BoolStorage: 'bool',
  ComplexDoubleStorage: 'complex128',
  ComplexFloatStorage: 'complex64',
  QInt8Storage: 'qint8',
  QInt32Storage: 'qint32',
  QUInt8Storage: 'quint8',
  QUInt4x2Storage: 'quint4x2',
  QUInt2x4Storage: 'quint2x4',
};
const dtypeToClass = new Map(Object.entries(storageClasses).map(([name, dtype]) => [dtype, name]));

/** Storages of newer dtypes carry no dtype: the tensor's rebuild call does (`_rebuild_tensor_v3`). */
export const UNTYPED = 'UntypedStorage';

/** The dtype of a storage class, `untyped`, or undefined where the name is no storage class. */
export function storageDtype({ module, name }: Global): Dtype | 'untyped' | undefined {
  if (module === 'torch.storage' && name === UNTYPED) return 'untyped';
  const isTorch = module === 'torch' || (module === 'torch.cuda' && !name.startsWith('Q'));
  return isTorch && Object.hasOwn(storageClasses, name) ? storageClasses[name] : undefined;
}

/** `torch.FloatStorage` for float32; undefined for dtypes that have no class. */
export function storageClass(dtype: Dtype): string | undefined {
  return dtypeToClass.get(dtype);
}

const rebuilders = [
  '_rebuild_tensor',
  '_rebuild_tensor_v2',
  '_rebuild_tensor_v3',
  '_rebuild_parameter',
  '_rebuild_parameter_with_state',
  '_rebuild_qtensor',
  '_rebuild_sparse_tensor',
  '_rebuild_meta_tensor_no_storage',
  '_rebuild_nested_tensor',
  '_rebuild_wrapper_subclass',
  '_rebuild_device_tensor_from_numpy',
  '_rebuild_device_tensor_from_cpu_tensor',
];
/** Also those that the lab cannot hold: a checkpoint may name a dtype without having a tensor of it. */
const torchDtypes = [
  ...Object.keys(dtypes),
  ...[1, 2, 3, 4, 5, 6, 7].flatMap((bits) => [`int${bits}`, `uint${bits}`]),
];
const numbers = 'Double Float Half BFloat16 Long Int Short Char Byte'.split(' ');
const tensorClasses = [...numbers, 'Bool'].map((name) => `${name}Tensor`);
const sparseClasses = numbers.map((name) => `${name}Tensor`);
const cudaStorages = Object.keys(storageClasses).filter((name) => !name.startsWith('Q'));

const allowed = new Set([
  'collections.OrderedDict',
  'collections.Counter',
  'torch.nn.parameter.Parameter',
  'torch.serialization._get_layout',
  'torch.Size',
  'torch.Tensor',
  'torch.device',
  '_codecs.encode',
  ...['bytearray', 'set', 'complex'].map((name) => `builtins.${name}`),
  'torch._tensor._rebuild_from_type_v2',
  `torch.storage.${UNTYPED}`,
  'torch.storage.TypedStorage',
  ...rebuilders.map((name) => `torch._utils.${name}`),
  ...[...Object.keys(storageClasses), ...tensorClasses, ...torchDtypes].map(
    (name) => `torch.${name}`,
  ),
  ...[...cudaStorages, ...tensorClasses].map((name) => `torch.cuda.${name}`),
  ...sparseClasses.flatMap((name) => [`torch.sparse.${name}`, `torch.cuda.sparse.${name}`]),
  ...[
    'per_tensor_affine',
    'per_channel_affine',
    'per_tensor_symmetric',
    'per_channel_symmetric',
    'per_channel_affine_float_qparams',
  ].map((name) => `torch.${name}`),
]);

/** Every name that PyTorch's `weights_only=True` knows. */
export const allowedNames: ReadonlySet<string> = allowed;

/** Whether PyTorch's `weights_only=True` knows the name. */
export function isAllowed(global: Global): boolean {
  // Protocol 2 names Python 3's builtins as Python 2 does.
  const module = global.module === '__builtin__' ? 'builtins' : global.module;
  return allowed.has(`${module}.${global.name}`);
}

/** Modules whose functions run commands, files or code: no checkpoint has a reason to name them. */
const dangerousModules = new Set([
  'os',
  'posix',
  'nt',
  'sys',
  'subprocess',
  'socket',
  'shutil',
  'pty',
  'commands',
  'ctypes',
  'importlib',
  'imp',
  'runpy',
  'code',
  'webbrowser',
  'pip',
  'requests',
  'urllib',
  'http',
  'multiprocessing',
  'threading',
  'asyncio',
  'signal',
  'platform',
  'pickle',
  '_pickle',
  'marshal',
  'timeit',
  'cProfile',
  'pdb',
  'bdb',
  'doctest',
]);
const dangerousBuiltins = new Set([
  'eval',
  'exec',
  'execfile',
  'compile',
  'open',
  '__import__',
  'setattr',
  'delattr',
  'globals',
  'locals',
  'vars',
  'input',
  'breakpoint',
  'apply',
  'map',
  'file',
]);

/**
 * Whether the name alone shows that the file means harm. Never the test for safety: what is not
 * in this list may be as bad. Only `isAllowed` makes a name harmless.
 */
export function isDangerous({ module, name }: Global): boolean {
  if (dangerousModules.has(module.split('.')[0]!)) return true;
  return (
    (module === 'builtins' || module === '__builtin__') &&
    dangerousBuiltins.has(name.split('.')[0]!)
  );
}
