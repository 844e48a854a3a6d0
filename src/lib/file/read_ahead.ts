/**
 * Reading one range after another, as verifying and writing do: while the caller works on one piece
 * the next ones are under way, across the borders of the ranges, since most of them are small and
 * each read has to travel. Memory stays bounded: pieces are given back once the next one is asked
 * for.
 */
import { blobSource, type Source } from './source.ts';

/** Bytes to read, of a file or of a part of it. */
export interface Range {
  readonly source: Pick<Source, 'fresh' | 'read'>;
  readonly start: number;
  readonly end: number;
}

/** All bytes of a file. */
export function wholeOf(file: File): Range {
  return { source: blobSource(file), start: 0, end: file.size };
}

/** Bytes that are read at once: browsers read smaller slices of a file at half the speed. */
export const PIECE = 8 * 2 ** 20;
/** Bytes under way. Four slices read a disk as fast as it goes, and leave room within 64 MB. */
const MAX_BYTES = 4 * PIECE;
/** Reads under way, where they are small. They are asked for in portions, to be read together. */
const MAX_READS = 256;
const PORTION = MAX_READS / 2;

interface Reading {
  readonly piece: Range;
  readonly bytes: Promise<Uint8Array>;
}

/** The bytes of ranges, each range in pieces, strictly one after the other. */
export class ReadAhead {
  readonly #pieces: Iterator<Range>;
  readonly #signal: AbortSignal | undefined;
  readonly #mostBytes: number;
  readonly #underWay: Reading[] = [];
  #bytesUnderWay = 0;
  /** Planned and not yet asked for. */
  #planned: Range | undefined;

  /** `streams` are read in step and share the memory: one of them by default. */
  constructor(ranges: Iterable<Range>, signal?: AbortSignal, streams = 1, piece = PIECE) {
    this.#pieces = piecesOf(ranges, piece);
    this.#signal = signal;
    this.#mostBytes = MAX_BYTES / streams;
  }

  /**
   * The next `length` bytes in pieces; all that are left by default. A piece is good until the next
   * one is asked for.
   */
  async *next(length = Infinity): AsyncGenerator<Uint8Array> {
    for (let left = length; left > 0;) {
      this.#signal?.throwIfAborted();
      this.#fill();
      const reading = this.#underWay.shift();
      if (!reading) return;
      const { piece } = reading;
      const size = piece.end - piece.start;
      const bytes = await reading.bytes;
      yield bytes;
      if (piece.source.fresh) giveBack(bytes);
      this.#bytesUnderWay -= size;
      left -= size;
    }
  }

  #fill(): void {
    if (this.#underWay.length > MAX_READS - PORTION) return;
    while (this.#underWay.length < MAX_READS) {
      this.#planned ??= this.#pieces.next().value as Range | undefined;
      const piece = this.#planned;
      if (!piece) return;
      const size = piece.end - piece.start;
      if (this.#underWay.length > 0 && this.#bytesUnderWay + size > this.#mostBytes) return;
      const bytes = piece.source.read(piece.start, piece.end, this.#signal);
      bytes.catch(() => {}); // told when its turn comes
      this.#underWay.push({ piece, bytes });
      this.#bytesUnderWay += size;
      this.#planned = undefined;
    }
  }
}

function* piecesOf(ranges: Iterable<Range>, piece: number): Generator<Range, undefined> {
  for (const { source, start, end } of ranges) {
    for (let at = start; at < end; at += piece) {
      yield { source, start: at, end: Math.min(at + piece, end) };
    }
  }
}

/**
 * Gives back the memory of bytes that nobody else holds: a browser waits long before it collects
 * what hundreds of reads leave behind.
 */
export function giveBack(bytes: Uint8Array): void {
  const buffer = bytes.buffer as ArrayBuffer;
  if (!buffer.detached) buffer.transfer(0);
}
