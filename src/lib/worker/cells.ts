/** Parts of a tensor for the page: what an index picked, and the values of a box as text. */
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { formatElement } from '#lib/checkpoint/elements.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import type { TensorSlice } from './protocol.inspect.ts';

/** What a page asks for at once is less; texts of more take the worker a second. */
const MOST_CELLS = 100_000;

/** A box of a tensor as a view of it. Throws a RangeError where it reaches beyond. */
export function boxOf(tensor: Tensor, start: readonly number[], size: readonly number[]): Tensor {
  const { shape, strides, offset } = tensor;
  const fits = (length: number, axis: number) =>
    start[axis]! >= 0 && size[axis]! >= 0 && start[axis]! + size[axis]! <= length;
  if (start.length !== shape.length || size.length !== shape.length || !shape.every(fits)) {
    throw new RangeError(
      `cells: [${start.join(', ')}] + [${size.join(', ')}] is not in [${shape.join(', ')}]`,
    );
  }
  return {
    ...tensor,
    shape: size,
    offset: start.reduce((sum, at, axis) => sum + at * strides[axis]!, offset),
  };
}

/** All elements as exact text, row-major. Throws a RangeError for more than a page may ask for. */
export async function cellsOf(tensor: Tensor, signal?: AbortSignal): Promise<string[]> {
  const count = numel(tensor.shape);
  if (count > MOST_CELLS) throw new RangeError(`cells: ${count} are more than ${MOST_CELLS}`);
  const bytes = await readTensor(tensor, signal);
  return Array.from({ length: count }, (_, at) => formatElement(bytes, tensor.dtype, at));
}

/** How a view that an index made of a tensor lies in it. */
export function describeSlice(whole: Tensor, slice: Tensor): TensorSlice {
  const { dtype, shape, strides, offset } = slice;
  const origin = placeOf(offset - whole.offset, whole);
  return {
    ...{ dtype, shape: [...shape], whole: whole.shape, origin },
    bytes: numel(shape) * itemsize(dtype),
    steps: shape.map((_, axis) => stepOf(whole, strides[axis]!)),
  };
}

/**
 * The axis of a tensor along which a stride of a view leads, and how far. None for the strides of
 * new axes, which lead out of it, and for 0.
 */
function stepOf({ shape, strides }: Tensor, stride: number): TensorSlice['steps'][number] {
  const axis = shape
    .map((size, at) => ({ at, size, own: strides[at]! }))
    .filter(
      ({ size, own }) => own > 0 && stride % own === 0 && (stride === own || stride / own < size),
    )
    .sort((a, b) => b.own - a.own || b.size - a.size)[0];
  return axis && stride > 0 ? { axis: axis.at, by: stride / axis.own } : null;
}

/** Index of the element that lies `distance` elements after the first. */
function placeOf(distance: number, { shape, strides }: Tensor): number[] {
  const index = shape.map(() => 0);
  const axes = [...shape.keys()]
    .filter((axis) => shape[axis]! > 1 && strides[axis]! > 0)
    .sort((a, b) => strides[b]! - strides[a]!);
  let left = distance;
  for (const axis of axes) {
    index[axis] = Math.floor(left / strides[axis]!);
    left -= index[axis] * strides[axis]!;
  }
  return index;
}
