import { standard, toStandard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import { choose } from '../elementwise/operands.ts';
import * as tf from '../../tf.ts';
import { place, take } from './blocks.ts';
import { inLayout } from './permute.ts';

/** Axis by axis; plain cuts of up to four axes in one go. */
export const slice: OpFunction<'slice'> = ([x], attrs) => {
  const [start, size, step] = [attrs.start, attrs.size, attrs.step].map((list) =>
    inLayout(x, list),
  ) as [number[], number[], number[]];
  if (x.tensor.rank <= 4 && step.every((by) => by === 1)) {
    return { ...x, tensor: tf.slice(x.tensor, start, size) };
  }
  const tensor = start.reduce(
    (part, from, axis) => take(part, axis, from, size[axis]!, step[axis]!),
    x.tensor,
  );
  return { ...x, tensor };
};

/** A choice for each element between x and the value moved to its place. */
export const sliceScatter: OpFunction<'slice_scatter'> = (
  [x, value],
  { start, size, step },
  { node },
) => {
  const moved = (part: tf.Tensor): tf.Tensor =>
    size.reduce(
      (whole, _, axis) => place(whole, axis, start[axis]!, step[axis]!, node.shape[axis]!),
      part,
    );
  const isReplaced = tf.cast(moved(tf.ones([...size])), 'bool');
  return standard(choose(isReplaced, moved(toStandard(value)), toStandard(x)));
};
