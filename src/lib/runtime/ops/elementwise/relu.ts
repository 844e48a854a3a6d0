import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';

export const relu: OpFunction<'relu'> = ([x]) => ({ ...x, tensor: tf.relu(x.tensor) });
