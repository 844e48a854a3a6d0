import type { OpFunction } from '../../op.ts';
import { drop } from './drop.ts';

/** Zeroes each element with probability p and scales the others by 1 / (1 − p), in training. */
export const dropout: OpFunction<'dropout'> = ([x], { p, training }, context) =>
  training ? { ...x, tensor: drop(x.tensor, p, context) } : x;
