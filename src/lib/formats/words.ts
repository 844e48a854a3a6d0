/** Plain numbers of a file, in either byte order. */
import { swapBytes } from '#lib/checkpoint/elements.ts';
import type { Storage } from '#lib/checkpoint/tensor.ts';
import type { Source } from '#lib/file/source.ts';

/**
 * A storage over `byteLength` bytes from `start` of the file. `word` is the number of bytes to
 * turn round together: 1 for numbers that are little-endian already.
 */
export function wordStorage(
  source: Source,
  key: string,
  start: number,
  byteLength: number,
  word: number,
): Storage {
  return {
    key,
    location: 'cpu',
    byteLength,
    place: { file: source, at: start },
    ...(source.fresh && { fresh: true as const }),
    ...(source.sequential && { sequential: true as const }),
    async read(from, to, signal) {
      if (word === 1) return source.read(start + from, start + to, signal);
      const first = from - (from % word);
      const end = Math.min(Math.ceil(to / word) * word, byteLength);
      const bytes = swapBytes(await source.read(start + first, start + end, signal), word);
      return bytes.subarray(from - first, to - first);
    },
  };
}
