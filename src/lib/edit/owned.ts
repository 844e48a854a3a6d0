/** A tensor with a storage of its own, and what tells whether two tensors are one view. */
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { readElements, readsByRange, readTensor } from '#lib/checkpoint/read_tensor.ts';
import {
  contiguousStrides,
  isContiguous,
  isMeta,
  metaStorage,
  numel,
  type Storage,
  type Tensor,
} from '#lib/checkpoint/tensor.ts';
import { computedStorage } from './computed.ts';

/** Its elements row by row, as `tensor.contiguous().clone()` has them; nothing else is changed. */
export function owned(tensor: Tensor): Tensor {
  const { conj: _, neg: __, ...rest } = tensor;
  const strides = contiguousStrides(tensor.shape);
  return { ...rest, strides, offset: 0, storage: copiedElements(tensor) };
}

/** Whether the storage is just the tensor's elements, in their order. */
export function isWhole(tensor: Tensor): boolean {
  const { offset, shape, dtype, storage, conj, neg } = tensor;
  const bytes = numel(shape) * itemsize(dtype);
  return isContiguous(tensor) && offset === 0 && storage.byteLength === bytes && !conj && !neg;
}

/** A storage of the tensor's elements alone, row by row. */
export function elementsOf(tensor: Tensor): Storage {
  return isWhole(tensor) ? tensor.storage : owned(tensor).storage;
}

function copiedElements(tensor: Tensor): Storage {
  const size = itemsize(tensor.dtype);
  const byteLength = numel(tensor.shape) * size;
  if (isMeta(tensor.storage)) return metaStorage(byteLength);
  const inputs = [tensor.storage];
  if (!readsByRange(tensor)) {
    return computedStorage({ byteLength, inputs, compute: fromWhole(tensor, byteLength) });
  }
  return computedStorage({
    byteLength,
    inputs,
    async compute(start, end, signal) {
      const [first, last] = [Math.floor(start / size), Math.ceil(end / size)];
      const bytes = await readElements(tensor, first, last, signal);
      const part = bytes.subarray(start - first * size, end - first * size);
      return tensor.storage.fresh && part.length === bytes.length ? bytes : new Uint8Array(part);
    },
  });
}

/** A turned tensor lies all over its storage: it is read once, and kept until its end was asked for. */
function fromWhole(tensor: Tensor, byteLength: number): Storage['read'] {
  let whole: Promise<Uint8Array> | undefined;
  return async (start, end, signal) => {
    const reading = (whole ??= readTensor(tensor, signal));
    if (end === byteLength) whole = undefined;
    try {
      return (await reading).slice(start, end);
    } catch (error) {
      whole = undefined;
      throw error;
    }
  };
}

/** Something for each view: tensors of one storage, layout and dtype have it in common. */
export class ByView<T> {
  readonly #known = new Map<Storage, Map<string, T>>();

  /** What is known of the tensor's view; made where nothing is. */
  of(tensor: Tensor, make: () => T): T {
    let known = this.#known.get(tensor.storage);
    if (!known) this.#known.set(tensor.storage, (known = new Map()));
    const key = viewKey(tensor);
    let made = known.get(key);
    if (made === undefined) known.set(key, (made = make()));
    return made;
  }
}

/** Equal for tensors of one storage that are the same elements in the same order. */
export function viewKey({ dtype, shape, strides, offset, conj, neg }: Tensor): string {
  return `${dtype} ${offset} ${shape.join()} ${strides.join()} ${conj ?? ''} ${neg ?? ''}`;
}
