import type { Op } from '#lib/architecture/graph.ts';
import type { OpFunction } from '../op.ts';
import { batchNorm } from './batch_norm.ts';
import { conv2d } from './conv2d.ts';
import { linear } from './linear.ts';
import { adaptiveAvgPool2d, maxPool2d } from './pool.ts';
import { add, dropout, logSoftmax, relu, reshape, softmax } from './simple.ts';

/** The numbers of every op of the graph. */
export const ops: { [K in Exclude<Op, 'input' | 'parameter'>]: OpFunction<K> } = {
  linear,
  conv2d,
  batch_norm: batchNorm,
  relu,
  max_pool2d: maxPool2d,
  adaptive_avg_pool2d: adaptiveAvgPool2d,
  dropout,
  log_softmax: logSoftmax,
  softmax,
  reshape,
  add,
};
