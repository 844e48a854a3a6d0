/**
 * Deflated entries as Sources. Nothing is inflated before it is asked for and nothing is kept: a
 * read that goes on where the last one ended goes on inflating, one further back begins anew. So a
 * header costs little, a whole entry one pass, and memory holds only what was asked for.
 */
import { Crc32 } from './crc32.ts';
import { checkRange, type Source } from './source.ts';
import { ZipError } from './zip.directory.ts';
import type { ZipEntry } from './zip.ts';

/** Deflate cannot do better than 1032:1 (a stream of maximal matches). */
const MAX_RATIO = 1032;
/** Compressed bytes that are read at once: little enough for a header, enough for a disk. */
const PIECE = 2 ** 18;

/**
 * `raw`, the payload of a deflated entry, inflated. The CRC-32 is checked at the entry's end,
 * unless `verified` is false.
 */
export function inflatedSource(raw: Source, entry: ZipEntry, verified = true): Source {
  if (entry.size > (entry.compressedSize + 1) * MAX_RATIO) {
    throw new ZipError(
      'zip-size',
      `zip: entry ${entry.name} claims to inflate from ${entry.compressedSize} to ${entry.size} bytes`,
    );
  }
  let pass: Pass | null = null;
  let queue: Promise<unknown> = Promise.resolve();
  const read = async (start: number, end: number, signal?: AbortSignal) => {
    const current = pass && pass.at <= start ? pass : new Pass(raw, entry, verified);
    if (current !== pass) pass?.cancel();
    pass = null; // a pass that fails is not gone on with
    const bytes = await current.read(start, end, signal);
    pass = current;
    return bytes;
  };
  const source: Source = {
    name: entry.name,
    size: entry.size,
    fresh: true,
    sequential: true,
    read(start, end, signal) {
      checkRange(source, start, end);
      const result = queue.then(() => read(start, end, signal));
      queue = result.catch(() => {});
      return result;
    },
  };
  return source;
}

/** One way through an entry, from its first byte to its last. */
class Pass {
  readonly #entry: ZipEntry;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  /** Why the compressed bytes could not be read. */
  #unreadable: unknown;
  /** Inflated and not yet given out. */
  #rest = new Uint8Array();
  readonly #crc = new Crc32();
  #isChecked: boolean;
  /** Position of the next byte that `read` can give. */
  at = 0;

  constructor(raw: Source, entry: ZipEntry, verified: boolean) {
    this.#entry = entry;
    this.#isChecked = !verified;
    let from = 0;
    const compressed = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        const end = Math.min(from + PIECE, raw.size);
        try {
          if (from < end)
            controller.enqueue((await raw.read(from, end)) as Uint8Array<ArrayBuffer>);
        } catch (error) {
          this.#unreadable = error;
          throw error;
        }
        from = end;
        if (from === raw.size) controller.close();
      },
    });
    this.#reader = compressed.pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  }

  cancel(): void {
    this.#reader.cancel().catch(() => {});
  }

  async read(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> {
    const out = new Uint8Array(end - start);
    while (this.at < end) {
      signal?.throwIfAborted();
      if (this.#rest.length === 0 && !(await this.#inflate())) throw this.#wrongSize();
      const taken = this.#rest.subarray(0, end - this.at);
      const skipped = Math.min(taken.length, Math.max(0, start - this.at));
      out.set(taken.subarray(skipped), Math.max(0, this.at - start));
      this.at += taken.length;
      this.#rest = this.#rest.subarray(taken.length);
    }
    if (this.at === this.#entry.size) await this.#check();
    return out;
  }

  /** Fetches the next inflated bytes; false at the end of the stream. */
  async #inflate(): Promise<boolean> {
    let chunk;
    try {
      chunk = await this.#reader.read();
    } catch {
      if (this.#unreadable !== undefined) throw this.#unreadable;
      throw new ZipError(
        'zip-broken',
        `zip: entry ${this.#entry.name} is damaged: it does not inflate`,
      );
    }
    if (chunk.done) return false;
    this.#rest = chunk.value as Uint8Array<ArrayBuffer>;
    if (!this.#isChecked) await this.#crc.add(chunk.value);
    return true;
  }

  /** At the declared end nothing may be left, and the CRC-32 must be right. */
  async #check(): Promise<void> {
    if (this.#isChecked) return;
    if (this.#rest.length > 0 || (await this.#inflate())) {
      this.cancel();
      throw this.#wrongSize();
    }
    checkCrc(this.#crc.value, this.#entry);
    this.#isChecked = true;
  }

  #wrongSize(): ZipError {
    const { name, size } = this.#entry;
    return new ZipError(
      'zip-size',
      `zip: entry ${name} does not inflate to the ${size} bytes it claims`,
    );
  }
}

/** Compares the CRC-32 of an entry's bytes with the directory's. */
export function checkCrc(crc: number, entry: ZipEntry): void {
  if (crc === entry.crc32) return;
  const hex = (value: number) => value.toString(16).padStart(8, '0');
  throw new ZipError(
    'zip-crc',
    `zip: entry ${entry.name} is damaged: its CRC-32 is ${hex(crc)}, the directory says ${hex(entry.crc32)}`,
  );
}
