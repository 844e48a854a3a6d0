import type { OpFunctions } from '../../op.ts';
import { bilinear } from './bilinear.ts';
import { einsum } from './einsum.ts';
import { linear } from './linear.ts';
import { matmul } from './matmul.ts';
import { logSoftmax, softmax } from './softmax.ts';

export const reduce = {
  bilinear,
  einsum,
  linear,
  log_softmax: logSoftmax,
  matmul,
  softmax,
} satisfies OpFunctions;
