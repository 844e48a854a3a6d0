/**
 * First values of a model's parameters and buffers, as PyTorch would have them after
 * `torch.manual_seed(seed)` and the constructor: constants, random numbers in the order in which the
 * source asks for them, and what it works out of both.
 */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import type { Init } from './graph.ts';
import { PythonError, Refusal, unsupported } from './python/errors.ts';
import type { Draw } from './torch/draws.ts';
import type { HostValue, Numbers } from './torch/host.ts';
import type { Session } from './torch/session.ts';
import type { PyTensor } from './torch/tensor.ts';
import type { StateEntry } from './torch/tree.ts';

/** How a tensor of the build gets its numbers; undefined where they come out of a file. */
export function initOf(tensor: PyTensor): Init | undefined {
  if (tensor.isFresh) return tensor.value?.init ?? undefined;
  return { kind: 'unknown', reason: 'it is a view of a tensor that was then changed in place' };
}

/**
 * The tensors of `keys` among the entries of a module that was just made. Throws a Refusal that names
 * the key and the line where numbers are not known.
 */
export function initialTensors(
  session: Session,
  entries: readonly StateEntry[],
  keys: readonly string[],
  seed: bigint,
): Map<string, Tensor> {
  const byKey = new Map(entries.map(({ name, value }) => [name, value]));
  const values = keys.map((key) => [key, valueOf(key, byKey.get(key))] as const);
  const [wanted, seen] = [new Set<Draw>(), new Set<HostValue>()];
  for (const [, value] of values) value.collectDraws(wanted, seen);
  session.draws.prepare(seed, wanted);
  return new Map(
    values.map(([key, value]) => {
      const bytes = naming(key, () => bytesOf(value.numbers(), value.dtype));
      return [key, tensorFromBytes(bytes, value.dtype, value.shape)];
    }),
  );
}

function valueOf(key: string, tensor: PyTensor | undefined): HostValue {
  if (!tensor) throw unsupported(`the model has no parameter or buffer "${key}"`);
  const value = naming(key, () => tensor.value);
  if (value?.init) return value;
  throw unsupported(`first values of "${key}": the model came out of a file with its own`);
}

/** Has a refusal say whose first values it is about. */
function naming<T>(key: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof PythonError)) throw error;
    throw new Refusal(error.code, `first values of "${key}": ${error.message}`, error.where);
  }
}

function bytesOf(numbers: Numbers, dtype: Dtype): Uint8Array<ArrayBuffer> {
  const make = arrays[dtype];
  if (!make) throw unsupported(`first values of ${dtype} are not supported`);
  return new Uint8Array(make(numbers).buffer);
}

const arrays: Partial<Record<Dtype, (numbers: Numbers) => TypedArray>> = {
  float32: (numbers) => new Float32Array(numbers),
  float64: (numbers) => new Float64Array(numbers),
  int64: (numbers) => BigInt64Array.from(numbers, BigInt),
  int32: (numbers) => new Int32Array(numbers),
  int16: (numbers) => new Int16Array(numbers),
  int8: (numbers) => new Int8Array(numbers),
  uint8: (numbers) => new Uint8Array(numbers),
  bool: (numbers) => new Uint8Array(numbers),
};

type TypedArray =
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

/** An initialiser in words: `uniform from −0.1 to 0.1`. */
export function describeInit(init: Init): string {
  const text = (value: number): string => String(Number(value.toPrecision(4))).replace('-', '−');
  switch (init.kind) {
    case 'constant':
      return text(init.value);
    case 'uniform':
      return `uniform from ${text(init.low)} to ${text(init.high)}`;
    case 'normal':
      return `normal, mean ${text(init.mean)}, std ${text(init.std)}`;
    case 'trunc_normal': {
      const bounds = `from ${text(init.low)} to ${text(init.high)}`;
      return `normal, mean ${text(init.mean)}, std ${text(init.std)}, ${bounds}`;
    }
    case 'orthogonal':
      return init.gain === 1 ? 'orthogonal' : `orthogonal, times ${text(init.gain)}`;
    case 'computed':
      return 'worked out by the source';
    case 'unknown':
      return `not known: ${init.reason}`;
    default:
      return init satisfies never;
  }
}
