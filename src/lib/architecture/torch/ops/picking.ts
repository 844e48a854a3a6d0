/** Elements picked and replaced by index tensors. */
import { raised } from '../../python/errors.ts';
import { emit, hostTensor } from '../emit.ts';
import { broadcast } from '../shapes.ts';
import { shapeText, type PyTensor } from '../tensor.ts';
import { to } from './arithmetic.ts';
import { axisOf, expand, unsqueeze, view } from './shape.ts';

const indexDtypes: ReadonlySet<string> = new Set(['int64', 'int32']);

function demandIndex(what: string, index: PyTensor): void {
  if (indexDtypes.has(index.dtype)) return;
  throw raised('IndexError', `${what}: the index is ${index.dtype}, int64 is needed`);
}

/** Where the numbers of an index are known, they are checked as PyTorch would. */
function checkRange(what: string, index: PyTensor, size: number, least: number): void {
  if (!index.session.tracer) return;
  const wrong = index.hostValue?.data.find((at) => at < least || at >= size);
  if (wrong === undefined) return;
  throw raised(
    'IndexError',
    `${what}: index ${wrong} is out of range for a dimension of size ${size}`,
  );
}

/** The shape of `x[indices]`, by NumPy's rule for the place of the new axes. */
function indexedShape(
  x: PyTensor,
  dims: readonly number[],
  indices: readonly PyTensor[],
): number[] {
  indices.forEach((index, at) => {
    demandIndex('index', index);
    const size = x.shape[dims[at]!]!;
    checkRange('index', index, size, -size);
  });
  const common = indices.map(({ shape }) => shape).reduce((a, b) => broadcast(a, b, 'index'), []);
  const others = x.shape.filter((_, axis) => !dims.includes(axis));
  const isTogether = dims.every((dim, at) => at === 0 || dim === dims[at - 1]! + 1);
  return others.toSpliced(isTogether ? dims[0]! : 0, 0, ...common);
}

/** `x[…]` with an index tensor for each of `dims`, which are sorted. */
export function index(
  x: PyTensor,
  dims: readonly number[],
  indices: readonly PyTensor[],
): PyTensor {
  const shape = indexedShape(x, dims, indices);
  return emit('index', [x, ...indices], { dims }, shape, x.dtype);
}

/** x with `x[indices] = value`, or `+=`. `value` is broadcast and takes x's dtype. */
export function indexPut(
  x: PyTensor,
  dims: readonly number[],
  indices: readonly PyTensor[],
  value: PyTensor,
  accumulate: boolean,
): PyTensor {
  const shape = indexedShape(x, dims, indices);
  const values = expand(trimmed(to(value, x.dtype), shape.length), shape, 'index_put');
  return emit('index_put', [x, values, ...indices], { dims, accumulate }, x.shape, x.dtype);
}

/** A number as a tensor without axes. */
export function numberLike(x: PyTensor, value: number): PyTensor {
  return hostTensor(x, 'a number', [], x.dtype, () => Float64Array.of(value));
}

/** Without axes of size 1 in front that the place has no room for, as assignments allow. */
export function trimmed(value: PyTensor, rank: number): PyTensor {
  const extra = value.shape.length - rank;
  if (extra <= 0 || value.shape.slice(0, extra).some((size) => size !== 1)) return value;
  return view(value, value.shape.slice(extra), 'copy');
}

export function indexSelect(x: PyTensor, dim: number, index: PyTensor): PyTensor {
  demandIndex('index_select', index);
  if (index.shape.length > 1) {
    throw raised(
      'IndexError',
      `index_select: the index has shape ${shapeText(index.shape)}, a vector is needed`,
    );
  }
  const axis = axisOf(x, dim, 'index_select');
  checkRange('index_select', index, x.shape[axis]!, 0);
  const indices = index.shape.length === 0 ? unsqueeze(index, 0) : index;
  const shape = x.shape.with(axis, indices.shape[0]!);
  return emit('index_select', [x, indices], { dim: axis }, shape, x.dtype);
}

function checkGather(what: string, x: PyTensor, dim: number, index: PyTensor): number {
  demandIndex(what, index);
  const axis = axisOf(x, dim, what);
  const fits =
    index.shape.length === x.shape.length &&
    index.shape.every((size, at) => at === axis || size <= x.shape[at]!);
  if (!fits) {
    throw raised(
      'RuntimeError',
      `${what}: index ${shapeText(index.shape)} does not fit input ${shapeText(x.shape)} apart from dimension ${axis}`,
    );
  }
  checkRange(what, index, x.shape[axis]!, 0);
  return axis;
}

/** The element of `dim` that the index names, at each place of the index. */
export function gather(x: PyTensor, dim: number, index: PyTensor): PyTensor {
  const axis = checkGather('gather', x, dim, index);
  return emit('gather', [x, index], { dim: axis }, index.shape, x.dtype);
}

/** `gather` with both broadcast apart from `dim`. */
export function takeAlongDim(x: PyTensor, index: PyTensor, dim: number): PyTensor {
  const axis = axisOf(x, dim, 'take_along_dim');
  if (index.shape.length !== x.shape.length) {
    throw raised(
      'RuntimeError',
      `take_along_dim: the index has ${index.shape.length} dimensions, the input ${x.shape.length}`,
    );
  }
  const common = broadcast(x.shape.with(axis, 1), index.shape.with(axis, 1), 'take_along_dim');
  const [whole, places] = [x, index].map((tensor) =>
    expand(tensor, common.with(axis, tensor.shape[axis]!), 'take_along_dim'),
  );
  return gather(whole!, axis, places!);
}

/**
 * x with the elements of `src` at the places of `dim` that the index names, or added to what is
 * there. Where PyTorch leaves open which of several elements for one place wins, here one does.
 */
export function scatter(
  x: PyTensor,
  dim: number,
  index: PyTensor,
  src: PyTensor | number,
  add = false,
): PyTensor {
  const what = add ? 'scatter_add' : 'scatter';
  const axis = checkGather(what, x, dim, index);
  if (typeof src === 'number') {
    return emit('scatter', [x, index, null], { dim: axis, add, scalar: src }, x.shape, x.dtype);
  }
  if (src.dtype !== x.dtype) {
    throw raised('RuntimeError', `${what}: src is ${src.dtype}, the input ${x.dtype}`);
  }
  const fits =
    src.shape.length === index.shape.length &&
    index.shape.every((size, at) => size <= src.shape[at]!);
  if (!fits) {
    throw raised(
      'RuntimeError',
      `${what}: src ${shapeText(src.shape)} is smaller than index ${shapeText(index.shape)}`,
    );
  }
  const used = sliceTo(src, index.shape);
  return emit('scatter', [x, index, used], { dim: axis, add, scalar: 0 }, x.shape, x.dtype);
}

/** The corner of a tensor that has `shape`. */
function sliceTo(x: PyTensor, shape: readonly number[]): PyTensor {
  if (x.shape.join() === shape.join()) return x;
  const attrs = { start: shape.map(() => 0), size: shape, step: shape.map(() => 1) };
  return emit('slice', [x], attrs, shape, x.dtype);
}
