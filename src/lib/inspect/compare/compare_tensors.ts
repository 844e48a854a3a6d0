/**
 * Pairs of tensors compared one after the other, both files read in step and ahead. Memory is that
 * of the pieces under way, whatever the size of the files; a view that is not contiguous and does not
 * come in blocks takes its own size.
 */
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { tensorsInTurn } from '#lib/checkpoint/read_tensor.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { Comparison, type Difference } from './difference.ts';

export type TensorPair = readonly [a: Tensor, b: Tensor];

export interface ReadContext {
  readonly signal?: AbortSignal;
  /** Told of bytes that were read, of both sides. */
  onBytes?(bytes: number): void;
}

/** How a pair of one shape differs, or the error that came of reading it. */
export type Outcome = Difference | Error;

/**
 * Compares each pair; both of a pair have one shape, and dtypes that `Comparison.of` takes. An error
 * in reading ends only its own pair.
 */
export async function* compareTensors(
  pairs: readonly TensorPair[],
  context: ReadContext = {},
): AsyncGenerator<Outcome> {
  const all = pairs.map(([a, b]): TensorPair => [unchecked(a), unchecked(b)]);
  for (let next = 0; next < all.length;) {
    const rest = all.slice(next);
    const chunksA = tensorsInTurn(
      rest.map(([a]) => a),
      context.signal,
      2,
    );
    const chunksB = tensorsInTurn(
      rest.map(([, b]) => b),
      context.signal,
      2,
    );
    for (const [a, b] of rest) {
      next++;
      const comparison = Comparison.of(a.dtype, b.dtype);
      if (!comparison)
        throw new Error(`compare: ${a.dtype} and ${b.dtype} have no numbers in common`);
      const streams = [chunksA.next().value!, chunksB.next().value!] as const;
      try {
        for await (const pieces of inStep(streams, [itemsize(a.dtype), itemsize(b.dtype)])) {
          comparison.add(...pieces);
          context.onBytes?.(pieces[0].length + pieces[1].length);
        }
      } catch (error) {
        context.signal?.throwIfAborted();
        yield error instanceof Error ? error : new Error(String(error));
        break; // what was read ahead no longer fits: it begins anew behind this pair
      }
      yield comparison.result();
    }
  }
}

/** Checksums would take longer than the comparison: what the file holds is compared, sound or not. */
export function unchecked(tensor: Tensor): Tensor {
  const { storage } = tensor;
  const { readUnchecked: read } = storage;
  return read ? { ...tensor, storage: { ...storage, read } } : tensor;
}

/** Pieces of two streams with as many elements each. They are good until the next ones are asked for. */
export async function* inStep(
  streams: readonly [AsyncGenerator<Uint8Array>, AsyncGenerator<Uint8Array>],
  sizes: readonly [number, number],
): AsyncGenerator<[a: Uint8Array, b: Uint8Array]> {
  const left: [Uint8Array, Uint8Array] = [new Uint8Array(), new Uint8Array()];
  for (;;) {
    // One after the other would wait twice.
    const ended = await Promise.all(
      streams.map(async (stream, side) => {
        if (left[side]!.length > 0) return false;
        const { value, done } = await stream.next();
        if (!done) left[side] = value;
        return done;
      }),
    );
    if (ended[0] || ended[1]) return;
    const count = Math.min(left[0]!.length / sizes[0], left[1]!.length / sizes[1]);
    yield [left[0]!.subarray(0, count * sizes[0]), left[1]!.subarray(0, count * sizes[1])];
    left.forEach((bytes, side) => (left[side] = bytes.subarray(count * sizes[side]!)));
  }
}
