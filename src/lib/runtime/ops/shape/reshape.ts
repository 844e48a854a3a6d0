import { standard, toStandard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';

export const reshape: OpFunction<'reshape'> = ([x], { shape }) =>
  standard(tf.reshape(toStandard(x), [...shape]));
