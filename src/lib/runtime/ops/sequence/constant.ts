import { standard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { checkExact } from '../../input_numbers.ts';
import { tfDtype } from '../../tensors.ts';

/** On a GPU, integers that it would round are refused. */
export const constant: OpFunction<'constant'> = (_, { values }, { node }) => {
  const dtype = tfDtype(node.dtype);
  if (dtype === 'int32' && tf.getBackend() !== 'cpu') checkExact('a tensor of the source', values);
  return standard(tf.tensor(values, [...node.shape], dtype));
};
