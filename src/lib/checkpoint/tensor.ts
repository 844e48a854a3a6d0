import { itemsize, type Dtype } from './dtype.ts';
import type { Global, Value } from './value.ts';

/**
 * Bytes that one or several tensors look into. Two tensors that share a Storage object are tied in
 * the file (PyTorch keeps such sharing through save and load), so identity matters.
 */
export interface Storage {
  /** Name in the file, such as `0` for the record `data/0`; only for people. */
  readonly key: string;
  readonly byteLength: number;
  /** Device tag that PyTorch wrote: `cpu`, `cuda:0`. Never acted upon. */
  readonly location: string;
  /** The bytes are as in a big-endian file that does not say how long their words are. */
  readonly bigEndian?: true;
  /** Every read makes a new array, which is the caller's: it may give the memory back. */
  readonly fresh?: true;
  /** Ranges are cheap only one after the other: to read further back begins anew. */
  readonly sequential?: true;
  /** The file has a checksum of the bytes, which is compared where all of them are read in turn. */
  readonly checksum?: true;
  /** `read` without that: for looking at the bytes as they are, as torch.load does. */
  readonly readUnchecked?: Storage['read'];
  /** Where its bytes begin, so that many can be read in the order in which the file has them. */
  readonly place?: { readonly file: object; readonly at: number };
  /** Little-endian bytes `start` to `end` of the storage. */
  read(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array>;
}

/** A lazy, strided view of a Storage. `offset` and `strides` count elements, as in PyTorch. */
export interface Tensor {
  readonly kind: 'tensor';
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
  readonly storage: Storage;
  readonly requiresGrad: boolean;
  /** True where the file wraps it as `torch.nn.Parameter`. */
  readonly parameter: boolean;
  /** What torch has yet to do to the stored elements: `Tensor.is_conj`, `Tensor.is_neg`. */
  readonly conj?: true;
  readonly neg?: true;
  /** What the integers of a quantized dtype stand for. */
  readonly quantization?: Quantization;
  /** The subclass of `torch.Tensor` that the file names. */
  readonly subclass?: Global;
  /** Python attributes that were set on it (`__dict__`, or that and the slots). */
  readonly state?: Value;
  /** How the file holds it, where reading decodes it first: `Q4_K`. */
  readonly encoding?: string;
  /** The file holds it as an array of NumPy. */
  readonly numpy?: true;
}

/** Real value = (integer − zero point) × scale (torch/ao/quantization, `_rebuild_qtensor`). */
export type Quantization =
  | {
      readonly scheme: 'per_tensor_affine';
      readonly scale: number;
      readonly zeroPoint: bigint;
    }
  | {
      readonly scheme: 'per_channel_affine' | 'per_channel_affine_float_qparams';
      /** One scale and zero point for each index along `axis`. */
      readonly scales: Tensor;
      readonly zeroPoints: Tensor;
      readonly axis: number;
    };

/** A tensor that PyTorch makes of several strided ones. */
export interface SparseTensor {
  readonly kind: 'sparse';
  readonly layout: 'sparse_coo' | 'sparse_csr' | 'sparse_csc' | 'sparse_bsr' | 'sparse_bsc';
  readonly shape: readonly number[];
  /** By torch's names, in the order of the file: `indices`, `values`; `crow_indices`, … */
  readonly parts: readonly (readonly [name: string, tensor: Tensor])[];
  /** Of sparse_coo, where the file says. */
  readonly coalesced?: boolean;
  readonly requiresGrad: boolean;
  readonly parameter: boolean;
}

/** Number of elements. */
export function numel(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Row-major strides, in elements: `[2, 3, 4]` gives `[12, 4, 1]`. As torch, sizes count at least 1. */
export function contiguousStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= Math.max(1, shape[axis]!);
  }
  return strides;
}

/** Whether the elements lie in row-major order without gaps (`Tensor.is_contiguous`). */
export function isContiguous(tensor: Pick<Tensor, 'shape' | 'strides'>): boolean {
  if (numel(tensor.shape) === 0) return true;
  let step = 1;
  for (let axis = tensor.shape.length - 1; axis >= 0; axis--) {
    const size = tensor.shape[axis]!;
    if (size !== 1 && tensor.strides[axis] !== step) return false;
    step *= size;
  }
  return true;
}

/** First and last-plus-one element of the storage that the tensor touches. */
export function span(tensor: Pick<Tensor, 'shape' | 'strides' | 'offset'>): [number, number] {
  if (numel(tensor.shape) === 0) return [tensor.offset, tensor.offset];
  let last = tensor.offset;
  tensor.shape.forEach((size, axis) => (last += (size - 1) * tensor.strides[axis]!));
  return [tensor.offset, last + 1];
}

/** Where a storage without bytes is said to be: PyTorch's device for shapes alone. */
const META = 'meta';

/** The storage of tensors whose elements the file does not hold; to read it is an Error. */
export function metaStorage(byteLength: number): Storage {
  return {
    key: '',
    byteLength,
    location: META,
    read: () =>
      Promise.reject(new Error('meta: the file holds the shape of this tensor, no elements')),
  };
}

export function isMeta({ location }: Storage): boolean {
  return location === META;
}

/** A contiguous tensor over row-major little-endian bytes in memory. */
export function tensorFromBytes(
  bytes: Uint8Array,
  dtype: Dtype,
  shape: readonly number[],
  options: { parameter?: boolean; requiresGrad?: boolean } = {},
): Tensor {
  const expected = numel(shape) * itemsize(dtype);
  if (bytes.byteLength !== expected) {
    throw new RangeError(
      `tensor: ${bytes.byteLength} bytes given, ${dtype} [${shape.join(', ')}] needs ${expected}`,
    );
  }
  return {
    kind: 'tensor',
    dtype,
    shape: [...shape],
    strides: contiguousStrides(shape),
    offset: 0,
    requiresGrad: options.requiresGrad ?? false,
    parameter: options.parameter ?? false,
    storage: {
      key: '',
      byteLength: bytes.byteLength,
      location: 'cpu',
      read: (start, end) => Promise.resolve(bytes.subarray(start, end)),
    },
  };
}
