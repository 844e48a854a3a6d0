/** Tensors whose elements are stored twice: statistics tell who may be alike, their bytes who is. */
import { tensorChunks } from '#lib/checkpoint/read_tensor.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import type { TensorSummary } from './tensor_statistics.ts';

/** Fewer elements are alike by chance, or cost nothing: steps, scales. */
const LEAST = 16;

/** What a candidate is told by; null for tensors that are not known, or too plain to be called copies. */
export type Known = Pick<Tensor, 'dtype' | 'shape'> & { readonly summary: TensorSummary };

/**
 * Groups of places whose tensors may have the same elements, each from the first on. Constant ones
 * are left out: they are alike because of how layers begin.
 */
export function alike(tensors: readonly (Known | null)[]): number[][] {
  const groups = new Map<string, number[]>();
  tensors.forEach((tensor, at) => {
    if (!tensor || tensor.summary.count < LEAST) return;
    const { dtype, shape, summary } = tensor;
    const { min, max, mean, std, norm, zeros, nans } = summary;
    if (min === null || min === max) return;
    const key = [dtype, shape.join('×'), min, max, mean, std, norm, zeros, nans].join(' ');
    const group = groups.get(key);
    if (group) group.push(at);
    else groups.set(key, [at]);
  });
  return [...groups.values()].filter((group) => group.length > 1);
}

/** Whether two tensors of one dtype and shape have the same bytes, element by element. */
export async function sameBytes(a: Tensor, b: Tensor, signal?: AbortSignal): Promise<boolean> {
  const others = tensorChunks(b, signal);
  let other: Uint8Array = new Uint8Array();
  for await (const chunk of tensorChunks(a, signal)) {
    for (let at = 0; at < chunk.length;) {
      if (other.length === 0) other = (await others.next()).value ?? other;
      const count = Math.min(chunk.length - at, other.length);
      if (count === 0) return false;
      for (let byte = 0; byte < count; byte++) {
        if (chunk[at + byte] !== other[byte]) return false;
      }
      at += count;
      other = other.subarray(count);
    }
  }
  return true;
}
