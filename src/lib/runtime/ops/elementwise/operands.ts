/** Operands of arithmetic in one layout and of one shape, so that broadcasting holds. */
import { standard, toLast, toStandard, type Activation } from '../../activation.ts';
import { offTape } from '../../off_tape.ts';
import * as tf from '../../tf.ts';

/**
 * The numbers of several operands in one layout. Channels-last stays only where it means the same
 * for all of them: they have four axes, or none.
 */
export function aligned(operands: readonly Activation[]): {
  tensors: tf.Tensor[];
  layout: Activation['layout'];
} {
  const isLast =
    operands.some(({ layout }) => layout === 'last') &&
    operands.every(({ tensor }) => tensor.rank === 4 || tensor.rank === 0);
  if (!isLast) return { tensors: operands.map(toStandard), layout: 'standard' };
  return {
    tensors: operands.map((item) => (item.tensor.rank === 0 ? item.tensor : toLast(item))),
    layout: 'last',
  };
}

/** Applies `compute` to both operands; a null one is the number in `scalar`. */
export function paired(
  x: Activation | null,
  y: Activation | null,
  scalar: number,
  compute: (x: tf.Tensor, y: tf.Tensor) => tf.Tensor,
): Activation {
  const given = (x ?? y)!;
  const number = () => standard(tf.scalar(scalar, given.tensor.dtype));
  const { tensors, layout } = aligned([x ?? number(), y ?? number()]);
  return { tensor: compute(tensors[0]!, tensors[1]!), layout };
}

/** Repeats x along axes of size 1, and new ones in front, to `shape`. */
export function spread(x: tf.Tensor, shape: number[]): tf.Tensor {
  if (tf.util.arraysEqual(x.shape, shape)) return x;
  // tfjs's broadcastTo has no gradient beyond four axes; that of a product is right for all of them.
  if (x.dtype !== 'bool') return tf.mul(x, tf.ones(shape, x.dtype as 'float32'));
  return tf.logicalAnd(x, tf.ones(shape, 'bool'));
}

/** x where the condition holds, y elsewhere. Without axes meanwhile: tfjs chooses in four of them. */
export function choose(condition: tf.Tensor, x: tf.Tensor, y: tf.Tensor): tf.Tensor {
  const shape = [condition, x, y].reduce<number[]>(
    (all, { shape: own }) => tf.broadcast_util.assertAndGetBroadcastShape(all, own),
    [],
  );
  const flat = [offTape(condition), x, y].map((tensor) => tf.reshape(spread(tensor, shape), [-1]));
  return tf.reshape(tf.where(flat[0]!, flat[1]!, flat[2]!), shape);
}

/** The function of a tensor, in whichever layout that is. */
export function each(
  { tensor, layout }: Activation,
  compute: (x: tf.Tensor) => tf.Tensor,
): Activation {
  return { tensor: compute(tensor), layout };
}

/** The same table with every entry turned into an op. */
export function tableOf<K extends string, V, T>(
  entries: Readonly<Record<K, V>>,
  make: (value: V) => T,
): Record<K, T> {
  const made = Object.entries<V>(entries).map(([name, value]) => [name, make(value)] as const);
  return Object.fromEntries(made) as Record<K, T>;
}
