/** Two operands of arithmetic in one layout, so that broadcasting holds. */
import { standard, toLast, toStandard, type Activation } from '../../activation.ts';
import * as tf from '../../tf.ts';

/**
 * Applies `compute` to both operands; a null one is the number in `scalar`. Channels-last stays only
 * where it means the same for both.
 */
export function paired(
  x: Activation | null,
  y: Activation | null,
  scalar: number,
  compute: (x: tf.Tensor, y: tf.Tensor) => tf.Tensor,
): Activation {
  if (x && y) {
    const images = x.tensor.rank === 4 && y.tensor.rank === 4;
    if (images && (x.layout === 'last' || y.layout === 'last')) {
      return { tensor: compute(toLast(x), toLast(y)), layout: 'last' };
    }
    return standard(compute(toStandard(x), toStandard(y)));
  }
  const one = (x ?? y)!;
  const number = tf.scalar(scalar, one.tensor.dtype);
  return {
    tensor: x ? compute(one.tensor, number) : compute(number, one.tensor),
    layout: one.layout,
  };
}
