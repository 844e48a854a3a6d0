/** CRC-32 of ranges of a file, as they were read in whatever order, put together to that of the whole. */
import { Crc32, crc32 } from './crc32.ts';
import { ReadAhead } from './read_ahead.ts';
import type { Source } from './source.ts';

/** A Source that remembers the sums of what was read of it. */
export interface SummedSource extends Source {
  /** The sum of all its bytes: what was not read yet is, and no byte that was summed twice. */
  whole(signal?: AbortSignal): Promise<Crc32>;
}

interface Piece {
  readonly start: number;
  readonly end: number;
  readonly crc: number;
}

/** Smaller reads are of headers and overlap with others: they are rather read again. */
const SMALLEST = 2 ** 12;

export function summedSource(source: Source): SummedSource {
  const pieces: Piece[] = [];
  return {
    ...source,
    async read(start, end, signal) {
      const bytes = await source.read(start, end, signal);
      if (end - start >= SMALLEST) pieces.push({ start, end, crc: await crc32(bytes) });
      return bytes;
    },
    async whole(signal) {
      const sum = new Crc32();
      const fill = async (end: number) => {
        const range = { source, start: sum.length, end };
        for await (const bytes of new ReadAhead([range], signal).next()) await sum.add(bytes);
      };
      for (const { start, end, crc } of apart(pieces)) {
        await fill(start);
        sum.append(crc, end - start);
      }
      await fill(source.size);
      return sum;
    },
  };
}

/** Pieces that do not overlap, in order; of two that do, the larger. */
function apart(pieces: readonly Piece[]): Piece[] {
  const chosen: Piece[] = [];
  for (const piece of pieces.toSorted((a, b) => a.start - b.start)) {
    const last = chosen.at(-1);
    if (!last || piece.start >= last.end) chosen.push(piece);
    else if (piece.end - piece.start > last.end - last.start) chosen[chosen.length - 1] = piece;
  }
  return chosen;
}
