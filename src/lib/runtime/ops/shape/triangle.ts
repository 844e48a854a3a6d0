import { standard, toStandard, type Activation } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { expandTo } from './blocks.ts';
import { choose } from '../elementwise/operands.ts';

export const tril: OpFunction<'tril'> = ([x], { diagonal }) =>
  triangle(x, (row, column) => column - row <= diagonal);

export const triu: OpFunction<'triu'> = ([x], { diagonal }) =>
  triangle(x, (row, column) => column - row >= diagonal);

/** A choice, no product: zero times infinity is no zero. */
function triangle(x: Activation, isKept: (row: number, column: number) => boolean): Activation {
  const input = toStandard(x);
  const [rows, columns] = input.shape.slice(-2) as [number, number];
  const mask = Uint8Array.from({ length: rows * columns }, (_, at) =>
    Number(isKept(Math.floor(at / columns), at % columns)),
  );
  const kept = expandTo(tf.tensor(mask, [rows, columns], 'bool'), input.shape);
  return standard(choose(kept, input, tf.zerosLike(input)));
}
