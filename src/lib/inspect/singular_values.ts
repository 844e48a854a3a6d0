/**
 * Singular values of the matrix that a tensor is. The arithmetic is our own, in `bidiagonal.ts`:
 * ml-matrix 6.15 takes more than twice as long, nearly half a minute for 2048 × 2048, in which it can
 * neither tell how far it is nor be stopped, and nothing else is answered.
 */
import { dtypes } from '#lib/checkpoint/dtype.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import { bidiagonalize, bidiagonalValues, ROWS } from './bidiagonal.ts';
import { checkNumbers, numbersOf, type Work } from './numbers.ts';
import { pauses } from './pauses.ts';
import { exponentOf } from './statistics/exponents.ts';

/** A matrix of more would take minutes. */
const MAX_ELEMENTS = 2048 * 2048;

/**
 * The singular values in falling order, in doubles, as many as the shorter side has. A tensor of more
 * than two dimensions is taken as (first, all others), as the weights of convolutions are. Throws a
 * FindingError where the tensor is no such matrix of real numbers, has more than 2048 × 2048 elements, or
 * holds NaN or infinities. Progress counts columns and rows.
 */
export async function singularValues(tensor: Tensor, work: Work = {}): Promise<Float64Array> {
  const [rows, columns] = sidesOf(tensor);
  const shorter = Math.min(rows, columns);
  if (shorter === 0) return new Float64Array(0);
  const pause = pauses(work.signal);
  const { matrix, scale } = await readMatrix(tensor, rows, columns, work.signal);
  // What is left to do falls with the square of the steps that are done.
  const progress = (step: number) =>
    work.progress?.({ done: shorter ** 3 - (shorter - step) ** 3, total: shorter ** 3 });
  const values = await bidiagonalValues(await bidiagonalize(matrix, pause, progress), pause);
  return values.map((value) => value * scale);
}

/** Rows and columns as which singular values of a tensor are taken; throws as `singularValues` does. */
export function sidesOf(tensor: Tensor): [rows: number, columns: number] {
  const { shape, dtype } = tensor;
  checkNumbers(tensor);
  const text = `[${shape.join(', ')}]`;
  if (shape.length < 2) {
    throw refuse(`a tensor of shape ${text} is no matrix`, 'Choose one of two or more dimensions.');
  }
  if (dtypes[dtype].kind === 'complex') {
    throw refuse(`${dtype} elements are not real numbers`, 'Save the real or imaginary part.');
  }
  if (numel(shape) > MAX_ELEMENTS) {
    const limit = `expected at most ${MAX_ELEMENTS} (2048 × 2048)`;
    throw refuse(
      `a tensor of shape ${text} has ${numel(shape)} elements, ${limit}`,
      'Look at a part of it by an index such as [:2048, :2048].',
    );
  }
  return [shape[0]!, numel(shape.slice(1))];
}

/**
 * The rows of the tensor's matrix, or its columns where those are more, over a power of two that keeps
 * squares within the doubles.
 */
async function readMatrix(
  tensor: Tensor,
  rows: number,
  columns: number,
  signal?: AbortSignal,
): Promise<{ matrix: Float64Array[]; scale: number }> {
  const isWide = columns > rows;
  const [long, short] = isWide ? [columns, rows] : [rows, columns];
  const matrix = Array.from(
    { length: Math.ceil(long / ROWS) * ROWS },
    () => new Float64Array(short),
  );
  let [row, column, largest] = [0, 0, 0];
  for await (const numbers of numbersOf(tensor, signal)) {
    for (let at = 0; at < numbers.length; at++) {
      const number = numbers[at]!;
      if (number - number !== 0) {
        throw refuse(
          `the matrix holds ${Number.isNaN(number) ? 'NaN' : number} in row ${row}, column ${column}`,
          'Look at a part of it without NaN and infinities, by an index such as [:10].',
        );
      }
      if (isWide) matrix[column]![row] = number;
      else matrix[row]![column] = number;
      if (number > largest || -number > largest) largest = Math.abs(number);
      if (++column === columns) [row, column] = [row + 1, 0];
    }
  }
  // A double of 2^-1074 and its inverse are not both doubles.
  const scale = 2 ** (largest === 0 ? 0 : Math.max(-1000, exponentOf(largest)));
  for (const row of matrix) for (let at = 0; at < short; at++) row[at]! /= scale;
  return { matrix, scale };
}

function refuse(message: string, advice: string): FindingError {
  return new FindingError({
    code: 'singular-values-unsuitable',
    message: `singular values: ${message}`,
    advice,
  });
}
