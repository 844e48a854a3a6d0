import { standard, toStandard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { alongLines } from './lines.ts';
import { softmaxRows } from './softmax_rows.ts';

export const softmax: OpFunction<'softmax'> = ([x], { dim }) =>
  standard(alongLines(toStandard(x), dim, softmaxRows));

export const logSoftmax: OpFunction<'log_softmax'> = ([x], { dim }) =>
  standard(alongLines(toStandard(x), dim, (rows) => tf.logSoftmax(rows)));
