/** Rows of a matrix that are most like one of them, as the words of an embedding are. */
import { dtypes } from '#lib/checkpoint/dtype.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { checkNumbers, numbersOf, type Numbers, type Work } from './numbers.ts';

export interface Neighbour {
  readonly row: number;
  /** As `torch.nn.functional.cosine_similarity` in float64: 0 where one of the rows is all zeros. */
  readonly cosine: number;
  /** Euclidean. */
  readonly distance: number;
}

export interface NeighbourOptions {
  readonly by: 'cosine' | 'distance';
  /** How many; fewer where the matrix has fewer other rows of finite numbers. */
  readonly count: number;
}

/**
 * The other rows of an (n, d) tensor of real numbers nearest to row `of`, the nearest first; of equally
 * near ones the first rows; none where d is 0. Rows with NaN or infinities are no neighbours. The matrix
 * is read once, row after row. Throws a FindingError where the tensor is no such matrix, has no such
 * row, or the row has numbers that are not finite.
 */
export async function neighbours(
  tensor: Tensor,
  of: number,
  { by, count }: NeighbourOptions,
  work: Work = {},
): Promise<Neighbour[]> {
  checkMatrix(tensor, of);
  const [rows, columns] = tensor.shape as [number, number];
  const own = await rowOf(tensor, of, work.signal);
  if (!Number.isFinite(squaresOf(own))) {
    throw refuse(`row ${of} holds NaN, infinities or numbers too large to be squared`);
  }
  const nearest = new Nearest(by, count);
  let row = 0;
  let column = 0;
  const sums = new RowSums(own);
  for await (const numbers of numbersOf(tensor, work.signal)) {
    for (let at = 0; at < numbers.length;) {
      const end = Math.min(numbers.length, at + columns - column);
      sums.add(numbers, at, end, column);
      column += end - at;
      at = end;
      if (column < columns) break; // the row goes on in the next chunk
      if (row !== of && sums.squares < Infinity) nearest.offer({ row, ...sums.likeness() });
      sums.clear();
      row++;
      column = 0;
    }
    work.progress?.({ done: row * columns + column, total: rows * columns });
  }
  return nearest.inOrder;
}

/** Sums over a row and the one that it is compared with. */
class RowSums {
  squares = 0;
  #product = 0;
  #apart = 0;
  readonly #own: Float64Array;
  readonly #ownNorm: number;

  constructor(own: Float64Array) {
    this.#own = own;
    this.#ownNorm = Math.sqrt(squaresOf(own));
  }

  /** Takes the numbers of a range, which stand in the row from a column on. */
  add(numbers: Numbers, start: number, end: number, column: number): void {
    const own = this.#own;
    let product = 0;
    let squares = 0;
    let apart = 0;
    for (let at = start; at < end; at++) {
      const number = numbers[at]!;
      const mine = own[column + at - start]!;
      product += number * mine;
      squares += number * number;
      apart += (number - mine) * (number - mine);
    }
    this.#product += product;
    this.squares += squares;
    this.#apart += apart;
  }

  likeness(): Omit<Neighbour, 'row'> {
    const norms = Math.sqrt(this.squares) * this.#ownNorm;
    return { cosine: norms === 0 ? 0 : this.#product / norms, distance: Math.sqrt(this.#apart) };
  }

  clear(): void {
    this.squares = this.#product = this.#apart = 0;
  }
}

function squaresOf(numbers: Float64Array): number {
  return numbers.reduce((sum, number) => sum + number * number, 0);
}

/** The best so far. */
class Nearest {
  readonly inOrder: Neighbour[] = [];
  readonly #by: NeighbourOptions['by'];
  readonly #count: number;

  constructor(by: NeighbourOptions['by'], count: number) {
    this.#by = by;
    this.#count = count;
  }

  offer(neighbour: Neighbour): void {
    const { inOrder } = this;
    const behind = inOrder.findIndex((other) => this.#isNearer(neighbour, other));
    if (behind >= 0) inOrder.splice(behind, 0, neighbour);
    else inOrder.push(neighbour);
    if (inOrder.length > this.#count) inOrder.pop();
  }

  #isNearer(one: Neighbour, other: Neighbour): boolean {
    return this.#by === 'cosine' ? one.cosine > other.cosine : one.distance < other.distance;
  }
}

async function rowOf(tensor: Tensor, row: number, signal?: AbortSignal): Promise<Float64Array> {
  const { shape, strides, offset } = tensor;
  const one = {
    ...tensor,
    shape: [shape[1]!],
    strides: [strides[1]!],
    offset: offset + row * strides[0]!,
  };
  const numbers = new Float64Array(shape[1]!);
  let at = 0;
  for await (const chunk of numbersOf(one, signal)) {
    numbers.set(chunk, at);
    at += chunk.length;
  }
  return numbers;
}

function checkMatrix(tensor: Tensor, row: number): void {
  const { shape, dtype } = tensor;
  checkNumbers(tensor);
  if (shape.length !== 2) {
    throw refuse(`a tensor of shape [${shape.join(', ')}] has no rows to compare`);
  }
  if (dtypes[dtype].kind === 'complex') throw refuse(`${dtype} elements are not real numbers`);
  if (!(Number.isInteger(row) && row >= 0 && row < shape[0]!)) {
    throw refuse(`row ${row} is not among the ${shape[0]} rows`);
  }
}

function refuse(message: string): FindingError {
  return new FindingError({
    code: 'neighbours-unsuitable',
    message: `neighbours: ${message}`,
    advice: 'Choose a row of finite numbers in a two-dimensional tensor.',
  });
}
