/**
 * Tensors that are worked out of several of one shape, range by range in step. Numbers are taken to
 * float32 (to float64 where the result is float64), each operation is rounded there as torch's own
 * is, and the result once more to its dtype.
 */
import { itemsize } from '#lib/checkpoint/dtype.ts';
import { toFloat32, toFloat64 } from '#lib/checkpoint/elements.ts';
import { readElements, readsByRange } from '#lib/checkpoint/read_tensor.ts';
import {
  contiguousStrides,
  isMeta,
  metaStorage,
  numel,
  type Storage,
  type Tensor,
} from '#lib/checkpoint/tensor.ts';
import { giveBack, PIECE } from '#lib/file/read_ahead.ts';
import { CastCounter } from './cast_counts.ts';
import { computedStorage } from './computed.ts';
import { owned } from './owned.ts';
import type { RoundedDtype } from './rounding.ts';

export type Floats = Float32Array | Float64Array;

/** Puts the result into the first of the arrays, which lie element `at` and what follows. */
export type Combination = (
  numbers: readonly [Floats, ...Floats[]],
  at: number,
  signal?: AbortSignal,
) => void | Promise<void>;

/**
 * The first tensor with other elements: contiguous, of its dtype, in a storage of its own. `counter`
 * takes note of what the last rounding loses; `more` are storages that the combination reads itself.
 */
export function combined(
  tensors: readonly [Tensor, ...Tensor[]],
  name: string,
  combine: Combination,
  more: readonly Storage[] = [],
): { tensor: Tensor; counter: CastCounter } {
  const [first] = tensors;
  const { dtype, shape } = first;
  const wide = dtype === 'float64' ? 'float64' : 'float32';
  const counter = new CastCounter(wide, dtype as RoundedDtype);
  const count = numel(shape);
  counter.expect(name, 0, count);
  const size = itemsize(dtype);
  const sources = tensors.map((it) => (readsByRange(it) ? it : owned(it)));
  const compute: Storage['read'] = async (start, end, signal) => {
    const [from, to] = [Math.floor(start / size), Math.ceil(end / size)];
    const out = new Uint8Array((to - from) * size);
    const step = PIECE / itemsize(wide);
    for (let at = from; at < to; at += step) {
      const until = Math.min(to, at + step);
      signal?.throwIfAborted();
      const numbers = await Promise.all(
        sources.map((it) => numbersOf(it, at, until, wide, signal)),
      );
      await combine(numbers as [Floats, ...Floats[]], at, signal);
      const [{ buffer, byteOffset, byteLength }] = numbers as [Floats];
      const bytes = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
      out.set(counter.round(bytes, at), (at - from) * size);
    }
    const isWhole = from * size === start && to * size === end;
    return isWhole ? out : out.slice(start - from * size, end - from * size);
  };
  const storage = isMeta(first.storage)
    ? metaStorage(count * size)
    : computedStorage({
        byteLength: count * size,
        inputs: [...tensors.map((it) => it.storage), ...more],
        compute,
      });
  counter.attach(storage);
  const { conj: _, neg: __, encoding: ___, ...rest } = first;
  const tensor = { ...rest, strides: contiguousStrides(shape), offset: 0, storage };
  return { tensor, counter };
}

/** Elements in a new array. */
export async function numbersOf(
  tensor: Tensor,
  start: number,
  end: number,
  wide: 'float32' | 'float64',
  signal?: AbortSignal,
): Promise<Floats> {
  const bytes = await readElements(tensor, start, end, signal);
  const numbers =
    wide === 'float64' ? toFloat64(bytes, tensor.dtype) : toFloat32(bytes, tensor.dtype);
  if (tensor.storage.fresh && numbers.buffer !== bytes.buffer) giveBack(bytes);
  return numbers;
}
