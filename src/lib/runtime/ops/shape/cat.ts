import { standard, toLast, toStandard, type Activation } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { join } from './blocks.ts';
import { placeOf } from './permute.ts';

/** Images stay channels-last where one of them is. */
export const cat: OpFunction<'cat'> = (inputs, { dim }) => {
  const parts = inputs as readonly Activation[];
  const layout = parts.some((part) => part.layout === 'last') ? 'last' : 'standard';
  const tensors = parts.map(layout === 'last' ? toLast : toStandard);
  return { tensor: join(tensors, placeOf({ layout }, dim)), layout };
};

export const stack: OpFunction<'stack'> = (inputs, { dim }) => {
  const parts = (inputs as readonly Activation[]).map((part) => {
    const tensor = toStandard(part);
    return tf.reshape(tensor, tensor.shape.toSpliced(dim, 0, 1));
  });
  return standard(join(parts, dim));
};
