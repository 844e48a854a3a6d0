/** Tensors of a dropped file as a model's inputs, and as what its outputs are compared with. */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import { toFloat32 } from '#lib/checkpoint/elements.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { numel, type Tensor } from '#lib/checkpoint/tensor.ts';
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
