import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { numbersOf } from './numbers.ts';

/** How many of `tensor[0]`, `tensor[1]`, … are all zeros: filters, rows, embeddings. */
export async function countZeroRows(tensor: Tensor, signal?: AbortSignal): Promise<number> {
  const length = tensor.shape.slice(1).reduce((product, size) => product * size, 1);
  let [rows, at, isZero] = [0, 0, true];
  for await (const numbers of numbersOf(tensor, signal)) {
    for (const number of numbers) {
      if (number !== 0) isZero = false;
      if (++at < length) continue;
      if (isZero) rows++;
      [at, isZero] = [0, true];
    }
  }
  return rows;
}
