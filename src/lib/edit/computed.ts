/**
 * Storages whose bytes are worked out when they are read, range by range, from those of others. A
 * writer reads one as it would read a file: several pieces under way, in their order.
 */
import type { Storage } from '#lib/checkpoint/tensor.ts';

export interface Computation {
  readonly byteLength: number;
  readonly inputs: readonly Storage[];
  /** Bytes `start` to `end` in a new array. */
  compute(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array>;
}

const inputsOf = new WeakMap<Storage, readonly Storage[]>();

export function computedStorage({ byteLength, inputs, compute }: Computation): Storage {
  const isSequential = inputs.some(({ sequential }) => sequential);
  let queue: Promise<unknown> = Promise.resolve();
  const inTurn: Storage['read'] = (start, end, signal) => {
    const result = queue.then(() => compute(start, end, signal));
    queue = result.catch(() => {});
    return result;
  };
  const storage: Storage = {
    key: inputs[0]?.key ?? '',
    byteLength,
    location: inputs[0]?.location ?? 'cpu',
    fresh: true,
    ...(isSequential && { sequential: true }),
    // Parts of two reads must not take turns where to go back means to begin anew.
    read: isSequential ? inTurn : compute,
  };
  inputsOf.set(storage, inputs);
  return storage;
}

/** The storages, and all that they are worked out from. */
export function withInputs(storages: Iterable<Storage>): Set<Storage> {
  const all = new Set(storages);
  for (const storage of all) for (const input of inputsOf.get(storage) ?? []) all.add(input);
  return all;
}
