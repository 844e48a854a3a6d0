import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { paired } from './operands.ts';

export const add: OpFunction<'add'> = ([x, y], { alpha, scalar }) =>
  paired(x, y, scalar, (a, b) => tf.add(a, alpha === 1 ? b : tf.mul(b, alpha)));
