import { wordSize } from '#lib/checkpoint/dtype.ts';
import { aligned } from '#lib/checkpoint/elements.ts';
import { tensorChunks } from '#lib/checkpoint/read_tensor.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { countNumbers, toNumbers, type Numbers, type Work } from '../numbers.ts';

/** Whether to count a tensor's patterns of bits is less work than to take its numbers one by one. */
export function hasFewPatterns(tensor: Tensor): boolean {
  const bits = 8 * wordSize(tensor.dtype);
  return bits <= 16 && countNumbers(tensor) >= 2 ** bits;
}

/** The number that each pattern of 8 or 16 bits stands for, and how often it occurs. */
export async function countPatterns(
  tensor: Tensor,
  { signal, progress, piece }: Work,
): Promise<{ values: Numbers; counts: Float64Array }> {
  const { dtype } = tensor;
  const Patterns = wordSize(dtype) === 1 ? Uint8Array : Uint16Array;
  const counts = new Float64Array(2 ** (8 * Patterns.BYTES_PER_ELEMENT));
  const total = countNumbers(tensor);
  let done = 0;
  for await (const bytes of tensorChunks(tensor, signal, piece)) {
    const patterns = aligned<Uint8Array | Uint16Array>(bytes, Patterns);
    for (let at = 0; at < patterns.length; at++) counts[patterns[at]!]!++;
    progress?.({ done: (done += patterns.length), total });
  }
  const all = new Patterns(counts.keys());
  return { values: toNumbers(new Uint8Array(all.buffer), dtype), counts };
}
