import { drawMask } from '../../kernels/draw.ts';
import type { OpContext } from '../../op.ts';
import * as tf from '../../tf.ts';

interface DropOptions {
  /** Of the mask, which broadcasts to x's: ones in it drop whole channels. */
  readonly shape?: readonly number[];
  /** Tells several masks of one op apart. */
  readonly stream?: number;
}

/** Zeroes with probability `p` and scales what is left by 1 / (1 − p). */
export function drop(
  x: tf.Tensor,
  p: number,
  context: Pick<OpContext, 'draws'>,
  { shape = x.shape, stream }: DropOptions = {},
): tf.Tensor {
  if (p === 0) return x;
  if (p === 1) return tf.zerosLike(x);
  return tf.mul(x, drawMask(shape, p, context.draws(stream), 1 / (1 - p)));
}
