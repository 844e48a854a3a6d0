import type { OpFunctions } from '../../op.ts';
import { adaptiveAvgPool2d, maxPool2d } from './pool.ts';
import { batchNorm } from './batch_norm.ts';
import { conv2d } from './conv2d.ts';

export const spatial = {
  adaptive_avg_pool2d: adaptiveAvgPool2d,
  batch_norm: batchNorm,
  conv2d,
  max_pool2d: maxPool2d,
} satisfies OpFunctions;
