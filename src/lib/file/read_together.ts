/**
 * Short reads that are asked for at the same time, as reading ahead does for small tensors, are made
 * as one where they lie near each other: each read of a file has to travel, however short it is.
 */

export type ReadRange = (start: number, end: number) => Promise<Uint8Array>;

/** From here on the bytes themselves cost more than the way. */
const SHORT = 64 * 2 ** 10;
/** Bytes between two that are read as well, and thrown away. */
const MOST_BETWEEN = 16 * 2 ** 10;
/** Of one read: what the short ones of it are copied from. */
const MOST_AT_ONCE = 2 ** 19;

interface Asked {
  readonly start: number;
  readonly end: number;
  resolve(bytes: Uint8Array): void;
  reject(reason: unknown): void;
}

/** `read`, in fewer parts. Every array that it gives is a fresh one, as those of `read` are. */
export function readTogether(read: ReadRange): ReadRange {
  let waiting: Asked[] = [];
  const readWaiting = () => {
    const asked = waiting.sort((a, b) => a.start - b.start);
    waiting = [];
    for (const near of neighbours(asked)) void answer(read, near);
  };
  return (start, end) => {
    if (end - start > SHORT) return read(start, end);
    return new Promise((resolve, reject) => {
      if (waiting.push({ start, end, resolve, reject }) === 1) queueMicrotask(readWaiting);
    });
  };
}

function* neighbours(asked: readonly Asked[]): Generator<readonly Asked[]> {
  let near: Asked[] = [];
  let reached = 0;
  for (const one of asked) {
    const first = near[0]?.start ?? one.start;
    if (one.start - reached > MOST_BETWEEN || one.end - first > MOST_AT_ONCE) {
      if (near.length > 0) yield near;
      near = [];
    }
    near.push(one);
    reached = Math.max(reached, one.end);
  }
  if (near.length > 0) yield near;
}

async function answer(read: ReadRange, asked: readonly Asked[]): Promise<void> {
  try {
    const start = asked[0]!.start;
    const bytes = await read(start, Math.max(...asked.map(({ end }) => end)));
    const isOne = asked.length === 1;
    for (const one of asked) {
      one.resolve(isOne ? bytes : bytes.slice(one.start - start, one.end - start));
    }
  } catch (error) {
    for (const one of asked) one.reject(error);
  }
}
