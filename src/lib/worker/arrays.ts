/** Tensors of a dropped file as a model's inputs, and as what its outputs are compared with. */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { toFloat32 } from '#lib/checkpoint/elements.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import { isDict, isTensor, type Value } from '#lib/checkpoint/value.ts';
import { blobSource } from '#lib/file/source.ts';
import { openCheckpoint } from '#lib/formats/index.ts';
import { DANGEROUS } from '#lib/formats/torch.safety.ts';
import type { InputDtype } from '#lib/architecture/source.ts';

/** Numbers of one input or output, as the backend takes them. */
export interface Values {
  readonly shape: readonly number[];
  readonly dtype: InputDtype;
  readonly values: Float32Array | Int32Array | Uint8Array;
}

/** More elements of one tensor than this take a gigabyte in the worker. */
const MAX_ELEMENTS = 2 ** 28;

/** Larger integers are rounded on the GPU, where they pass through float32. */
const MAX_INTEGER = 2 ** 24;

/** Opens a file for its tensors. Throws where it means harm: data is for use. */
export async function openForUse(file: File, signal?: AbortSignal): Promise<Value> {
  const result = await openCheckpoint(blobSource(file), signal);
  if (!result.ok) throw new FindingError(result.findings[0]!);
  const harm = result.checkpoint.findings.find(({ code }) => code === DANGEROUS);
  if (harm) throw new FindingError(harm);
  return result.checkpoint.root;
}

/** Every tensor at the top of a file, or one dict or list below, by how it is reached. */
export function namedTensors(root: Value): Map<string, Tensor> {
  const found = new Map<string, Tensor>();
  const add = (value: Value, name: string, depth: number) => {
    if (isTensor(value)) found.set(name || 'tensor', value);
    else if (depth < 2) {
      for (const [key, item] of entriesOf(value))
        add(item, name ? `${name}.${key}` : key, depth + 1);
    }
  };
  add(root, '', 0);
  return found;
}

/** Items of a dict or list with their names; nothing for any other value. */
export function entriesOf(value: Value | undefined): [string, Value][] {
  if (isDict(value)) return [...value.entries()].map(([key, item]) => [String(key), item]);
  if (typeof value !== 'object' || value === null) return [];
  if (value.kind !== 'list' && value.kind !== 'tuple') return [];
  return value.items.map((item, at) => [String(at), item]);
}

/** Reads a tensor as an input of a dtype. Throws where a number would change in kind. */
export async function readValues(
  tensor: Tensor,
  dtype: InputDtype,
  name: string,
  signal?: AbortSignal,
): Promise<Values> {
  if (numel(tensor.shape) > MAX_ELEMENTS) {
    throw refuse(`${name} holds more than ${MAX_ELEMENTS} elements`, 'Give a smaller batch.');
  }
  const floats = toFloat32(await readTensor(tensor, signal), tensor.dtype);
  const { shape } = tensor;
  if (dtype === 'float32') return { shape, dtype, values: floats };
  const isFitting =
    dtype === 'bool'
      ? (value: number) => value === 0 || value === 1
      : (value: number) => Number.isInteger(value) && Math.abs(value) <= MAX_INTEGER;
  const odd = floats.find((value) => !isFitting(value));
  if (odd === undefined) {
    const values = dtype === 'bool' ? Uint8Array.from(floats) : Int32Array.from(floats);
    return { shape, dtype, values };
  }
  throw refuse(
    `${name} is ${tensor.dtype} and holds ${odd}, which does not go in as ${dtype}`,
    'Choose the dtype that the model takes; integers up to 16,777,216 are exact on the GPU.',
  );
}

/** The dtype as which a tensor goes into a model. */
export function inputDtype(dtype: Dtype): InputDtype {
  if (dtype === 'bool') return 'bool';
  return /^u?int/.test(dtype) ? 'int64' : 'float32';
}

function refuse(message: string, advice: string): FindingError {
  return new FindingError({ code: 'input-unsuitable', message: `input: ${message}`, advice });
}
