import { standard, toStandard } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';

export const reshape: OpFunction<'reshape'> = ([x], { shape }) => {
  const isSame = x.tensor.rank === 4 && toShape(x).join() === shape.join();
  return isSame ? x : standard(tf.reshape(toStandard(x), [...shape]));
};

function toShape({ tensor, layout }: Parameters<typeof toStandard>[0]): number[] {
  const [n, a, b, c] = tensor.shape as [number, number, number, number];
  return layout === 'last' ? [n, c, a, b] : [n, a, b, c];
}
