/**
 * The elements of a tensor as numbers, chunk by chunk, so that what counts, compares or draws them
 * needs no code for dtypes and no memory for a whole tensor.
 */
import { dtypes, type Dtype } from '#lib/checkpoint/dtype.ts';
import { aligned, toFloat32 } from '#lib/checkpoint/elements.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { tensorChunks } from '#lib/checkpoint/read_tensor.ts';
import { isMeta, numel, type Tensor } from '#lib/checkpoint/tensor.ts';

/** float32 where it holds every number of the dtype. */
export type Numbers = Float32Array | Float64Array;

/** Arrays of numbers that doubles hold. */
export type Doubles = Numbers | Int32Array | Uint8Array;

/** What long work on a tensor is given: a way to end it, and whom to tell how far it is. */
export interface Work {
  readonly signal?: AbortSignal | undefined;
  /** Counts numbers, of all passes over the tensor. */
  readonly progress?: ((progress: { done: number; total: number }) => void) | undefined;
  /** Bytes that are read at once, where not as many as usual. */
  readonly piece?: number | undefined;
}

/**
 * The elements in row-major order; of complex tensors real and imaginary parts in turn, of quantized
 * ones the integers that are stored. Exact, but for int64 and uint64 beyond 2⁵³, which are rounded to
 * the nearest double. A chunk is good until the next one is asked for, and must not be written to.
 * Throws a FindingError for a dtype whose elements are no numbers, and where the file has only the
 * shape.
 */
export async function* numbersOf(
  tensor: Tensor,
  signal?: AbortSignal,
  piece?: number,
): AsyncGenerator<Numbers> {
  checkNumbers(tensor);
  for await (const bytes of tensorChunks(tensor, signal, piece)) {
    yield toNumbers(bytes, tensor.dtype);
  }
}

/** How many numbers `numbersOf` gives: two for a complex element. */
export function countNumbers({ dtype, shape }: Pick<Tensor, 'dtype' | 'shape'>): number {
  return numel(shape) * (dtypes[dtype].kind === 'complex' ? 2 : 1);
}

/** Whether the elements are single numbers, and not bits that are packed into bytes. */
export function hasNumbers(dtype: Dtype): boolean {
  return dtypes[dtype].kind !== 'packed' && dtype !== 'quint4x2' && dtype !== 'quint2x4';
}

/** Throws where `numbersOf` would. */
export function checkNumbers({ dtype, storage }: Pick<Tensor, 'dtype' | 'storage'>): void {
  if (!hasNumbers(dtype)) {
    throw new FindingError({
      code: 'numbers-packed',
      message: `numbers: ${dtype} elements are bits that are packed into bytes, not single numbers`,
      advice: 'Unpack the tensor in PyTorch and save it in a dtype with one number an element.',
    });
  }
  if (isMeta(storage)) {
    throw new FindingError({
      code: 'numbers-meta',
      message: 'numbers: the file holds the shape of this meta tensor, no elements',
      advice: 'Open a checkpoint that was saved after its weights were loaded.',
    });
  }
}

/** Little-endian bytes of whole elements as `numbersOf` gives them; float32 is not copied if aligned. */
export function toNumbers(bytes: Uint8Array, dtype: Dtype): Numbers {
  switch (dtype) {
    case 'complex128':
    case 'float64':
      return aligned(bytes, Float64Array);
    case 'complex64':
    case 'float32':
      return aligned(bytes, Float32Array);
    case 'complex32':
      return toFloat32(bytes, 'float16');
    case 'int64':
      return fromWords(aligned(bytes, Uint32Array), aligned(bytes, Int32Array));
    case 'uint64':
      return fromWords(aligned(bytes, Uint32Array), aligned(bytes, Uint32Array));
    case 'uint32':
      return new Float64Array(aligned(bytes, Uint32Array));
    case 'int32':
    case 'qint32':
      return new Float64Array(aligned(bytes, Int32Array));
    case 'qint8':
      return toFloat32(bytes, 'int8');
    case 'quint8':
      return toFloat32(bytes, 'uint8');
    case 'bool':
      return toFloat32(bytes, dtype).map((byte) => Math.min(byte, 1)); // all but 0 are True
    default:
      return toFloat32(bytes, dtype);
  }
}

/** 64-bit integers; the sum is rounded once, to the nearest double. */
function fromWords(low: Uint32Array, high: Int32Array | Uint32Array): Float64Array {
  const numbers = new Float64Array(low.length / 2);
  for (let at = 0; at < numbers.length; at++) {
    numbers[at] = high[2 * at + 1]! * 2 ** 32 + low[2 * at]!;
  }
  return numbers;
}
