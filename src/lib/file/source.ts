/**
 * The only file abstraction of the lab. A Source is a size and a way to read a byte range; a File
 * from the disk, an OPFS file and a Uint8Array all look the same from here on. Nothing is read
 * before someone asks for a range, so a 100 GB checkpoint costs as little to open as a small one.
 */
import { readTogether } from './read_together.ts';

export interface Source {
  /** File name as the user knows it, without a folder. */
  readonly name: string;
  /** Size in bytes. */
  readonly size: number;
  /** Every read makes a new array, which is the caller's: it may give the memory back. */
  readonly fresh?: true;
  /** Ranges are cheap only one after the other: to read further back begins anew. */
  readonly sequential?: true;
  /** Where `read` compares a checksum, which may take longer than the reading: the same without it. */
  readonly readUnchecked?: Source['read'];
  /**
   * Reads bytes `start` (inclusive) to `end` (exclusive). Always returns exactly `end - start`
   * bytes or throws; the array may be a view of a shared buffer and must not be written to.
   */
  read(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array>;
}

/** Throws a RangeError for a range that does not lie in the source. */
export function checkRange(
  source: { name: string; size: number },
  start: number,
  end: number,
): void {
  if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && end >= start)) {
    throw new RangeError(`${source.name}: invalid byte range ${start}..${end}`);
  }
  if (end > source.size) {
    throw new RangeError(
      `${source.name}: the file ends at byte ${source.size}, bytes ${start}..${end} were asked for`,
    );
  }
}

/** A Source over bytes in memory. */
export function bytesSource(bytes: Uint8Array, name = 'bytes'): Source {
  const source: Source = {
    name,
    size: bytes.byteLength,
    read(start, end, signal) {
      signal?.throwIfAborted();
      checkRange(source, start, end);
      return Promise.resolve(bytes.subarray(start, end));
    },
  };
  return source;
}

/** Reads all of a Blob. */
export type ReadThread = (part: Blob) => Promise<ArrayBuffer>;

const read: ReadThread = (part) => part.arrayBuffer();
let readLarge = read;

/**
 * Lends a thread for large reads: a browser hands over what it read on the thread that asked, which
 * would wait for its own work on the bytes from before.
 */
export function lendReadThread(lent: ReadThread): void {
  readLarge = lent;
}

/** From this size on, the way to another thread and back costs less than taking the bytes over. */
const WORTH_SENDING = 2 ** 20;

/** A Source over a Blob or File. Throws when the file changed on disk since it was picked. */
export function blobSource(blob: Blob, name = blob instanceof File ? blob.name : 'blob'): Source {
  const readRange = readTogether(async (start, end) => {
    const readPart = end - start < WORTH_SENDING ? read : readLarge;
    try {
      return new Uint8Array(await readPart(blob.slice(start, end)));
    } catch (cause) {
      // From another thread a DOMException comes as an error with its name.
      if ((cause as Error).name === 'RangeError') {
        throw new RangeError(
          `${name}: bytes ${start}..${end} do not fit in memory at once: ${(cause as Error).message}`,
          { cause },
        );
      }
      throw new Error(
        `${name}: the file can no longer be read (changed, moved or removed since it was opened); open it again`,
        { cause },
      );
    }
  });
  const source: Source = {
    name,
    size: blob.size,
    fresh: true,
    async read(start, end, signal) {
      signal?.throwIfAborted();
      checkRange(source, start, end);
      return readRange(start, end);
    },
  };
  return source;
}

/** The part of `source` from `start` to `end` as a Source of its own. */
export function sliceSource(source: Source, start: number, end: number, name: string): Source {
  checkRange(source, start, end);
  const slice: Source = {
    name,
    size: end - start,
    ...(source.fresh && { fresh: true }),
    ...(source.sequential && { sequential: true }),
    read(from, to, signal) {
      checkRange(slice, from, to);
      return source.read(start + from, start + to, signal);
    },
  };
  return slice;
}

/**
 * `source`, of which the bytes `start` to `end` are read together when the first of them is asked
 * for: each read of a file has to travel, however short it is.
 */
export function windowedSource(source: Source, start: number, end: number): Source {
  const { name, size } = source;
  let window: Promise<Uint8Array> | undefined;
  return {
    name,
    size,
    async read(from, to, signal) {
      if (from < start || to > end) return source.read(from, to, signal);
      window ??= source.read(start, end, signal);
      return (await window).subarray(from - start, to - start);
    },
  };
}
