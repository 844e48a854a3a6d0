/** Rows of a table by their index. */
import { raised, unsupported } from '../../python/errors.ts';
import { demandFloat, demandShape, emit, named } from '../emit.ts';
import { isInteger } from '../promotion.ts';
import { shapeText, type PyTensor } from '../tensor.ts';

/** weight[indices]: (…) and (V, D) give (…, D). The row at `paddingIndex` gets no gradient. */
export function embedding(
  indices: PyTensor,
  weight: PyTensor,
  paddingIndex: number | null,
): PyTensor {
  const [rows, width] = demandTable('embedding', indices, weight);
  const attrs = { padding_idx: paddingOf(paddingIndex, rows, 'embedding'), max_norm: null };
  return emit('embedding', [indices, weight], attrs, [...indices.shape, width], weight.dtype);
}

export type BagMode = 'sum' | 'mean' | 'max';

/**
 * Rows of a table taken together by bags: indices (B, N), or (N) with the place in it where each
 * bag begins. `weights`, of the indices' shape, only with `sum`.
 */
export function embeddingBag(
  indices: PyTensor,
  weight: PyTensor,
  offsets: PyTensor | null,
  weights: PyTensor | null,
  { mode, paddingIndex }: { mode: BagMode; paddingIndex: number | null },
): PyTensor {
  const [rows, width] = demandTable('embedding_bag', indices, weight);
  const rank = indices.shape.length;
  if (rank !== 1 && rank !== 2) {
    throw raised('ValueError', `embedding_bag: input has shape ${shapeText(indices.shape)}`);
  }
  if ((rank === 1) !== (offsets !== null)) {
    const words = rank === 1 ? 'needs offsets' : 'takes no offsets';
    throw raised('ValueError', `embedding_bag: a ${rank}-d input ${words}`);
  }
  if (offsets && (!isInteger(offsets.dtype) || offsets.shape.length !== 1)) {
    throw raised(
      'ValueError',
      `embedding_bag: offsets are ${offsets.dtype} ${shapeText(offsets.shape)}`,
    );
  }
  if (weights && mode !== 'sum') {
    throw raised('NotImplementedError', `embedding_bag: per_sample_weights with mode "${mode}"`);
  }
  demandFloat('embedding_bag', weights);
  demandShape('embedding_bag', 'per_sample_weights', weights, indices.shape);
  const attrs = { mode, padding_idx: paddingOf(paddingIndex, rows, 'embedding_bag') };
  const bags = (offsets ?? indices).shape[0]!;
  return emit(
    'embedding_bag',
    [indices, weight, offsets, weights],
    attrs,
    [bags, width],
    weight.dtype,
  );
}

/** int64 ones where an index is, zeros elsewhere: (…) gives (…, classes). */
export function oneHot(indices: PyTensor, classes: number): PyTensor {
  if (indices.dtype !== 'int64') {
    throw raised('RuntimeError', `one_hot: the input is ${indices.dtype}, int64 is needed`);
  }
  let count = classes;
  if (classes === -1) {
    const value = indices.hostValue;
    if (!value) throw unsupported('one_hot without num_classes is not supported: give the number');
    count = value.data.reduce((most, index) => Math.max(most, index + 1), 0);
  }
  if (count < 1) throw raised('RuntimeError', `one_hot: num_classes is ${classes}`);
  return emit('one_hot', [indices], { num_classes: count }, [...indices.shape, count], 'int64');
}

function demandTable(what: string, indices: PyTensor, weight: PyTensor): readonly [number, number] {
  demandFloat(what, weight);
  if (indices.dtype !== 'int64' && indices.dtype !== 'int32') {
    throw raised('RuntimeError', `${what}: the indices are ${indices.dtype}, int64 is needed`);
  }
  const [rows, width, ...rest] = weight.shape;
  if (rows === undefined || width === undefined || rest.length > 0) {
    throw raised(
      'RuntimeError',
      `${what}: ${named('weight', weight)} has shape ${shapeText(weight.shape)}, two axes are needed`,
    );
  }
  const wrong = indices.hostValue?.data.find((index) => index < 0 || index >= rows);
  if (wrong !== undefined) {
    throw raised(
      'IndexError',
      `${what}: the index ${wrong} is outside of the ${rows} rows of ${named('weight', weight)}`,
    );
  }
  return [rows, width];
}

function paddingOf(index: number | null, rows: number, what: string): number | null {
  return index === null ? null : normalizeIndex(index, rows, what);
}

/** A padding_idx counted from the first row. */
export function normalizeIndex(index: number, rows: number, what: string): number {
  if (index >= -rows && index < rows) return index < 0 ? index + rows : index;
  throw raised('AssertionError', `${what}: padding_idx ${index} is outside of ${rows} rows`);
}
