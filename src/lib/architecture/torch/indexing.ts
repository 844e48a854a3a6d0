/**
 * `x[…]`, `x[…] = y`, and `for row in x`. Ints, slices, None and Ellipsis give a view; what else the
 * key holds picks elements of that view. An assignment changes the view, which passes the change on
 * to the tensor that it looks into.
 */
import { PyList, PySlice, PyTuple } from '../python/collections.ts';
import { raised, unsupported } from '../python/errors.ts';
import { sliceIndices } from '../python/indexing.ts';
import { isNumeric, toFloat } from '../python/numbers.ts';
import { ellipsis, typeName, type PyValue } from '../python/object.ts';
import { emit, hostTensor } from './emit.ts';
import { rowMajor } from './host/strides.ts';
import * as ops from './ops/index.ts';
import { PyTensor, shapeText } from './tensor.ts';

export function getItem(x: PyTensor, key: PyValue): PyValue {
  const { view, dims, indices, mask } = look(x, key);
  if (mask) {
    throw unsupported(
      'x[mask] is not supported: how many elements it has depends on the values; torch.where keeps the shape',
    );
  }
  return indices.length === 0 ? view : ops.index(view, dims, indices);
}

export function setItem(x: PyTensor, key: PyValue, value: PyValue): void {
  const { view, dims, indices, mask } = look(x, key);
  const given = ops.to(tensorOf(x, value), x.dtype);
  if (mask) view.become(masked(view, mask, given));
  else if (indices.length > 0) view.become(ops.indexPut(view, dims, indices, given, false));
  else view.become(ops.expand(ops.trimmed(given, view.shape.length), view.shape, 'assignment'));
}

export function iterate(x: PyTensor): Iterable<PyValue> {
  if (x.shape.length === 0) throw raised('TypeError', 'iteration over a 0-d tensor');
  return ops.unbind(x, 0);
}

/** What a key means. Index tensors and masks apply to the axes of the view. */
interface Look {
  readonly view: PyTensor;
  /** The axes that have index tensors, and those. */
  readonly dims: number[];
  readonly indices: PyTensor[];
  /** A mask whose values are not known, and its first axis. */
  readonly mask: { readonly tensor: PyTensor; readonly axis: number } | null;
}

function look(x: PyTensor, key: PyValue): Look {
  const items = (key instanceof PyTuple ? key.items : [key]).map((item) => pickOf(x, item));
  const taken = items.reduce<number>((sum, item) => sum + axesTaken(item), 0);
  if (taken > x.shape.length) {
    throw raised('IndexError', `${taken} indices for a ${x.shape.length}-d tensor`);
  }
  const start: number[] = [];
  const size: number[] = [];
  const step: number[] = [];
  const shape: number[] = [];
  const dims: number[] = [];
  const indices: PyTensor[] = [];
  let mask: Look['mask'] = null;

  const take = (from: number, count: number, stride: number): void => {
    start.push(from);
    size.push(count);
    step.push(stride);
  };
  const whole = (count: number): void => {
    for (let axis = 0; axis < count; axis++) {
      const all = x.shape[start.length]!;
      shape.push(all);
      take(0, all, 1);
    }
  };
  const rest = (): number => x.shape.length - taken;

  let isOpen = true;
  for (const item of items) {
    if (item === null) {
      shape.push(1);
    } else if (item === 'rest') {
      if (!isOpen) throw raised('IndexError', 'an index can hold "..." once');
      isOpen = false;
      whole(rest());
    } else if (typeof item === 'number') {
      take(indexOf(item, x.shape[start.length]!, start.length), 1, 1);
    } else if (item instanceof PySlice) {
      const { from, count, stride } = selected(item, x.shape[start.length]!);
      shape.push(count);
      take(from, count, stride);
    } else if (item.dtype !== 'bool') {
      dims.push(shape.length);
      indices.push(item);
      whole(1);
    } else {
      checkMask(item, x.shape.slice(start.length));
      const places = placesOf(item);
      if (places) {
        indices.push(...places);
        dims.push(...places.map((_, at) => shape.length + at));
      } else if (mask) {
        throw unsupported('an index of several masks is not supported');
      } else {
        mask = { tensor: item, axis: shape.length };
      }
      whole(item.shape.length);
    }
  }
  if (isOpen) whole(rest());
  if (mask && indices.length > 0) {
    throw unsupported('an index of a mask and other tensors is not supported');
  }
  return { view: viewOf(x, { start, size, step }, shape), dims, indices, mask };
}

/** A part of a key: `rest` is Ellipsis, null a new axis. */
type Pick = number | null | 'rest' | PySlice | PyTensor;

function pickOf(x: PyTensor, item: PyValue): Pick {
  if (item === null || item instanceof PySlice) return item;
  if (item === ellipsis) return 'rest';
  if (typeof item === 'bigint') return Number(item);
  if (item instanceof PyList || item instanceof PyTuple) return listIndex(x, item);
  if (item instanceof PyTensor) {
    const isInt = item.shape.length === 0 && item.dtype.includes('int');
    if (item.dtype === 'uint8' || item.dtype.startsWith('float')) {
      throw raised('IndexError', `a tensor of ${item.dtype} is no index: int64 or bool is needed`);
    }
    if (item.shape.length === 0 && item.dtype === 'bool') {
      throw unsupported('an index of a bool without dimensions is not supported');
    }
    return isInt && item.hostValue ? item.item : item;
  }
  throw typeof item === 'boolean'
    ? unsupported(`${item ? 'True' : 'False'} as an index is not supported`)
    : raised('TypeError', `a ${typeName(item)} is no index of a tensor`);
}

/** `[0, 2]` and `[[0], [1]]` as an index tensor; `[True, False]` as a mask. */
function listIndex(x: PyTensor, list: PyList | PyTuple): PyTensor {
  const shape: number[] = [];
  for (let level: PyValue = list; level instanceof PyList || level instanceof PyTuple;) {
    shape.push(level.items.length);
    level = level.items[0] ?? 0n;
  }
  let items: readonly PyValue[] = list.items;
  for (let depth = 1; depth < shape.length; depth++) {
    items = items.flatMap((item) => {
      if (item instanceof PyList || item instanceof PyTuple) return item.items;
      throw raised('TypeError', 'an index list whose parts differ in length');
    });
  }
  const isMask = items.length > 0 && items.every((item) => typeof item === 'boolean');
  const numbers = items.map((item) => {
    if (isMask || typeof item === 'bigint') return Number(item);
    if (item instanceof PyTensor && item.dtype.includes('int')) return item.item;
    throw unsupported(`a list with a ${typeName(item)} as an index is not supported`);
  });
  if (numbers.length !== shape.reduce((product, size) => product * size, 1)) {
    throw raised('TypeError', 'an index list whose parts differ in length');
  }
  return hostTensor(x, 'a list', shape, isMask ? 'bool' : 'int64', () =>
    Float64Array.from(numbers),
  );
}

/** How many axes of the tensor a part speaks of. */
function axesTaken(item: Pick): number {
  if (item === null || item === 'rest') return 0;
  return item instanceof PyTensor && item.dtype === 'bool' ? item.shape.length : 1;
}

function indexOf(index: number, size: number, axis: number): number {
  const at = index < 0 ? index + size : index;
  if (at >= 0 && at < size) return at;
  throw raised(
    'IndexError',
    `index ${index} is out of range for dimension ${axis} of size ${size}`,
  );
}

function selected(slice: PySlice, size: number): { from: number; count: number; stride: number } {
  const [start, stop, stride] = [slice.start, slice.stop, slice.stride].map((bound) =>
    bound instanceof PyTensor && bound.dtype.includes('int') ? BigInt(bound.item) : bound,
  ) as [PyValue, PyValue, PyValue];
  if (typeof stride === 'bigint' && stride <= 0n) {
    throw raised('ValueError', `the step of a slice of a tensor must be positive, not ${stride}`);
  }
  const places = sliceIndices(new PySlice(start, stop, stride), size);
  return {
    from: places[0] ?? 0,
    count: places.length,
    stride: stride === null ? 1 : Number(stride),
  };
}

/** The view that ints, slices and None make; of the whole tensor at least another object. */
function viewOf(x: PyTensor, selection: ops.Selection, shape: readonly number[]): PyTensor {
  const isWhole = selection.size.join() === x.shape.join();
  if (isWhole) return ops.view(x, shape, 'index');
  const part = ops.slice(x, selection);
  return part.shape.join() === shape.join() ? part : ops.view(part, shape, 'index');
}

function checkMask({ shape }: PyTensor, axes: readonly number[]): void {
  if (shape.every((size, axis) => size === axes[axis])) return;
  throw raised(
    'IndexError',
    `a mask of shape ${shapeText(shape)} does not fit the axes ${shapeText(axes)} that it indexes`,
  );
}

/** Where a mask that the source itself makes is true, as an index for each of its axes. */
function placesOf(mask: PyTensor): PyTensor[] | null {
  const value = mask.hostValue;
  if (!value) return null;
  const places: number[] = [];
  value.data.forEach((bit, at) => {
    if (bit !== 0) places.push(at);
  });
  const strides = rowMajor(mask.shape);
  return mask.shape.map((size, axis) =>
    hostTensor(mask, 'a mask', [places.length], 'int64', () =>
      Float64Array.from(places, (at) => Math.floor(at / strides[axis]!) % size),
    ),
  );
}

/** `view[mask] = value` where the mask's values are not known: a choice for each element. */
function masked(
  view: PyTensor,
  { tensor, axis }: { readonly tensor: PyTensor; readonly axis: number },
  value: PyTensor,
): PyTensor {
  // One axis stands for all that the mask picks; behind it are those that it does not speak of.
  const behind = view.shape.slice(axis + tensor.shape.length);
  const picked = value.shape[value.shape.length - behind.length - 1] ?? 1;
  if (picked !== 1) {
    throw unsupported(
      `x[mask] = value with a value of shape ${shapeText(value.shape)} is not supported: how it is spread depends on the mask's values`,
    );
  }
  const spreadShape = [...tensor.shape, ...behind.map(() => 1)];
  const condition = ops.expand(ops.view(tensor, spreadShape, 'mask'), view.shape, 'mask');
  const front = value.shape.length - behind.length - 1;
  const spread = front < 0 ? value : spreadPicked(value, front, tensor.shape.length);
  const other = ops.expand(spread, view.shape, 'mask');
  return emit('where', [condition, other, view], { x: 0, y: 0 }, view.shape, view.dtype);
}

/** The axis of what is picked (of size 1) as one axis for each of the mask's. */
function spreadPicked(value: PyTensor, at: number, axes: number): PyTensor {
  const ones = new Array<number>(axes).fill(1);
  return ops.view(value, value.shape.toSpliced(at, 1, ...ones), 'mask');
}

/** The right side of an assignment. */
function tensorOf(x: PyTensor, value: PyValue): PyTensor {
  if (value instanceof PyTensor) return value;
  if (!isNumeric(value)) {
    throw raised('TypeError', `a ${typeName(value)} cannot be assigned to a part of a tensor`);
  }
  return ops.numberLike(x, toFloat(value));
}
