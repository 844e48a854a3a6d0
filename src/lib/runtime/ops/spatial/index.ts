import type { OpFunctions } from '../../op.ts';
import { adaptiveAvgPool, adaptiveMaxPool } from './adaptive_pool.ts';
import { avgPool } from './avg_pool.ts';
import { batchNorm } from './batch_norm.ts';
import { convTranspose } from './conv_transpose.ts';
import { convolution } from './convolution.ts';
import { groupNorm } from './group_norm.ts';
import { instanceNorm } from './instance_norm.ts';
import { interpolate } from './interpolate.ts';
import { layerNorm } from './layer_norm.ts';
import { localResponseNorm } from './local_response_norm.ts';
import { maxPool } from './max_pool.ts';
import { rmsNorm } from './rms_norm.ts';

export const spatial = {
  adaptive_avg_pool1d: adaptiveAvgPool,
  adaptive_avg_pool2d: adaptiveAvgPool,
  adaptive_avg_pool3d: adaptiveAvgPool,
  adaptive_max_pool1d: adaptiveMaxPool,
  adaptive_max_pool2d: adaptiveMaxPool,
  adaptive_max_pool3d: adaptiveMaxPool,
  avg_pool1d: avgPool,
  avg_pool2d: avgPool,
  avg_pool3d: avgPool,
  batch_norm: batchNorm,
  conv1d: convolution,
  conv2d: convolution,
  conv3d: convolution,
  conv_transpose1d: convTranspose,
  conv_transpose2d: convTranspose,
  conv_transpose3d: convTranspose,
  group_norm: groupNorm,
  instance_norm: instanceNorm,
  interpolate,
  layer_norm: layerNorm,
  local_response_norm: localResponseNorm,
  max_pool1d: maxPool,
  max_pool2d: maxPool,
  max_pool3d: maxPool,
  rms_norm: rmsNorm,
} satisfies OpFunctions;
