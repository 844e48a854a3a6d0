import { standard, toStandard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import { drop } from './drop.ts';

/** dropout of whole channels: the first `lead` axes have masks of their own, the others share them. */
export const featureDropout: OpFunction<'feature_dropout'> = (
  [x],
  { p, training, lead },
  context,
) => {
  if (!training) return x;
  const input = toStandard(x);
  const shape = input.shape.map((size, axis) => (axis < lead ? size : 1));
  return standard(drop(input, p, context, { shape }));
};
