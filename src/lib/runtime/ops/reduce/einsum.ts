import { standard, toStandard, type Activation } from '../../activation.ts';
import type { OpFunction } from '../../op.ts';
import * as tf from '../../tf.ts';
import { product } from '../shape/blocks.ts';
import { permuted } from '../shape/permute.ts';
import { batchMatMul } from './matmul.ts';

/** A tensor whose axes are letters. */
interface Term {
  readonly tensor: tf.Tensor;
  readonly letters: readonly string[];
}

/**
 * Operands are taken together from the left, two at a time, each time a batch of matrix products;
 * tfjs's own einsum has no gradient.
 */
export const einsum: OpFunction<'einsum'> = (inputs, { equation }) => {
  const [operands, output] = equation.split('->') as [string, string];
  const terms = operands.split(',').map((letters, at): Term => {
    return { tensor: toStandard((inputs as readonly Activation[])[at]!), letters: [...letters] };
  });
  const neededAfter = (at: number): ReadonlySet<string> =>
    new Set([...output, ...terms.slice(at + 1).flatMap(({ letters }) => letters)]);
  const result = terms
    .slice(1)
    .reduce((left, right, at) => contract(left, right, neededAfter(at + 1)), terms[0]!);
  const sum = summed(result, new Set(output));
  return standard(ordered(sum, [...output]));
};

/** The product of two terms, summed over the letters that are not needed any more. */
function contract(left: Term, right: Term, needed: ReadonlySet<string>): Term {
  const [a, b] = [
    summed(left, new Set([...needed, ...right.letters])),
    summed(right, new Set([...needed, ...left.letters])),
  ];
  const shared = a.letters.filter((letter) => b.letters.includes(letter));
  const batch = shared.filter((letter) => needed.has(letter));
  const inner = shared.filter((letter) => !needed.has(letter));
  const rows = a.letters.filter((letter) => !shared.includes(letter));
  const columns = b.letters.filter((letter) => !shared.includes(letter));
  const [n, k, r, c] = [sizeOf(a, batch), sizeOf(a, inner), sizeOf(a, rows), sizeOf(b, columns)];
  const p = tf.reshape(ordered(a, [...batch, ...rows, ...inner]), [n, r, k]);
  const q = tf.reshape(ordered(b, [...batch, ...inner, ...columns]), [n, k, c]);
  const sum = k === 1 ? tf.mul(p, q) : batchMatMul(p, q);
  const shape = [...sizes(a, batch), ...sizes(a, rows), ...sizes(b, columns)];
  return { tensor: tf.reshape(sum, shape), letters: [...batch, ...rows, ...columns] };
}

function sizes({ tensor, letters }: Term, some: readonly string[]): number[] {
  return some.map((letter) => tensor.shape[letters.indexOf(letter)]!);
}

function sizeOf(term: Term, some: readonly string[]): number {
  return product(sizes(term, some));
}

function ordered({ tensor, letters }: Term, order: readonly string[]): tf.Tensor {
  return permuted(
    tensor,
    order.map((letter) => letters.indexOf(letter)),
  );
}

/** Sums over letters that are not in `kept`. */
function summed(term: Term, kept: ReadonlySet<string>): Term {
  const rest = term.letters.filter((letter) => kept.has(letter));
  const gone = term.letters.filter((letter) => !kept.has(letter));
  if (gone.length === 0) return term;
  const table = tf.reshape(ordered(term, [...rest, ...gone]), [sizeOf(term, rest), -1]);
  return { tensor: tf.reshape(tf.sum(table, 1), sizes(term, rest)), letters: rest };
}
