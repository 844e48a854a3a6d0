import type { OpFunctions } from '../../op.ts';
import { linear } from './linear.ts';
import { logSoftmax, softmax } from './softmax.ts';

export const reduce = {
  linear,
  log_softmax: logSoftmax,
  softmax,
} satisfies OpFunctions;
