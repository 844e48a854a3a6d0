import type { OpFunctions } from '../../op.ts';
import * as tf from '../../tf.ts';
import { bilinear } from './bilinear.ts';
import { einsum } from './einsum.ts';
import { extremes } from './extremes.ts';
import { linear } from './linear.ts';
import { reduced } from './lines.ts';
import { matmul } from './matmul.ts';
import { products } from './products.ts';
import { logSoftmax, softmax } from './softmax.ts';
import { sums } from './sums.ts';

export const reduce = {
  ...extremes,
  ...products,
  ...sums,
  all: ([x], { dims, keepdim }) => reduced(x, dims, keepdim, (at, axes) => tf.all(at, axes)),
  any: ([x], { dims, keepdim }) => reduced(x, dims, keepdim, (at, axes) => tf.any(at, axes)),
  bilinear,
  einsum,
  linear,
  log_softmax: logSoftmax,
  matmul,
  softmax,
} satisfies OpFunctions;
