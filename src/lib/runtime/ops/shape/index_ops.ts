import { standard, toStandard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { gatherInOrder } from '../sequence/gather_rows.ts';
import { along, product } from './blocks.ts';
import { permuted } from './permute.ts';
import { checkRows, placesAlong, putRows, rowsOf } from './picking.ts';

export const indexSelect: OpFunction<'index_select'> = ([x, index], { dim }) =>
  standard(
    along(toStandard(x), dim, (block) => {
      checkRows('index_select', block.shape[1]);
      const [outer, , inner] = block.shape as [number, number, number];
      const rows = tf.reshape(tf.transpose(block, [1, 0, 2]), [block.shape[1]!, outer * inner]);
      const picked = gatherInOrder(rows, toStandard(index) as tf.Tensor1D);
      return tf.transpose(tf.reshape(picked, [-1, outer, inner]), [1, 0, 2]);
    }),
  );

/** The indexed axes first, as one axis of rows; what is picked goes where NumPy puts it. */
export const index: OpFunction<'index'> = ([x, ...indices], { dims }, { node }) => {
  const input = toStandard(x);
  const { table, others } = tableOf(input, dims);
  const sizes = dims.map((dim) => input.shape[dim]!);
  const { rows, shape } = rowsOf('index', sizes, indices);
  const picked = tf.reshape(gatherInOrder(table, rows), [...shape, ...others]);
  const front = frontOf(dims);
  const axes = picked.shape.map((_, axis) => axis);
  const order = [
    ...axes.slice(shape.length, shape.length + front),
    ...axes.slice(0, shape.length),
    ...axes.slice(shape.length + front),
  ];
  return standard(tf.reshape(permuted(picked, order), [...node.shape]));
};

export const indexPut: OpFunction<'index_put'> = ([x, value, ...indices], { dims, accumulate }) => {
  const input = toStandard(x);
  const { table, others, order } = tableOf(input, dims);
  const sizes = dims.map((dim) => input.shape[dim]!);
  const { rows, shape } = rowsOf('index_put', sizes, indices);
  const front = frontOf(dims);
  const given = toStandard(value);
  const axes = given.shape.map((_, axis) => axis);
  const turned = permuted(given, [
    ...axes.slice(front, front + shape.length),
    ...axes.slice(0, front),
    ...axes.slice(front + shape.length),
  ]);
  const values = tf.reshape(turned, [rows.size, product(others)]) as tf.Tensor2D;
  const put = tf.reshape(putRows(table, rows, values, accumulate), [...sizes, ...others]);
  const back: number[] = [];
  order.forEach((axis, at) => (back[axis] = at));
  return standard(permuted(put, back));
};

/** (rows of the indexed axes, everything else) */
function tableOf(x: tf.Tensor, dims: readonly number[]) {
  const rest = x.shape.map((_, axis) => axis).filter((axis) => !dims.includes(axis));
  const order = [...dims, ...rest];
  const others = rest.map((axis) => x.shape[axis]!);
  const rows = product(dims.map((dim) => x.shape[dim]!));
  const table = tf.reshape(permuted(x, order), [rows, product(others)]) as tf.Tensor2D;
  return { table, others, order };
}

/** How many axes come before those of the indices. */
function frontOf(dims: readonly number[]): number {
  const isTogether = dims.every((dim, at) => at === 0 || dim === dims[at - 1]! + 1);
  return isTogether ? dims[0]! : 0;
}

export const gather: OpFunction<'gather'> = ([x, index], { dim }, { node }) => {
  const input = toStandard(x);
  if (input.rank === 0) return standard(input);
  const places = placesAlong('gather', input.shape, dim, toStandard(index));
  const flat = tf.reshape(input, [-1, 1]);
  return standard(tf.reshape(tf.gather(flat, places), [...node.shape]));
};

export const scatter: OpFunction<'scatter'> = ([x, index, src], { dim, add, scalar }) => {
  const input = toStandard(x);
  const places = placesAlong('scatter', input.shape, dim, toStandard(index));
  const flat = tf.reshape(input, [-1, 1]) as tf.Tensor2D;
  const values = src
    ? (tf.reshape(toStandard(src), [-1, 1]) as tf.Tensor2D)
    : tf.fill([places.size, 1], scalar, input.dtype as 'float32');
  return standard(tf.reshape(putRows(flat, places, values as tf.Tensor2D, add), input.shape));
};
