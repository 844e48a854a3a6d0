/** Reads a header of unknown length from front to back, in ranges that grow. */
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Source } from '#lib/file/source.ts';

/** The first range is enough for most files without a vocabulary; each next one doubles. */
const FIRST_RANGE = 64 * 2 ** 10;
const LAST_RANGE = 4 * 2 ** 20;
/** Bytes of keys, texts and records together: vocabularies take up to some 20 MB. */
const MAX_HEADER = 256 * 2 ** 20;

export class HeaderCursor {
  bigEndian = false;
  readonly #source: Source;
  readonly #signal: AbortSignal | undefined;
  #range = FIRST_RANGE;
  /** The bytes at hand, where they begin in the file, and how far they are used up. */
  #bytes = new Uint8Array();
  #view = new DataView(new ArrayBuffer(0));
  #start = 0;
  #used = 0;
  #fetched = 0;

  constructor(source: Source, signal?: AbortSignal) {
    this.#source = source;
    this.#signal = signal;
  }

  /** The offset in the file of what comes next. */
  get at(): number {
    return this.#start + this.#used;
  }

  /** Bytes of the file that come after. */
  get left(): number {
    return this.#source.size - this.at;
  }

  /** Whether the next `count` bytes are at hand. */
  has(count: number): boolean {
    return this.#used + count <= this.#bytes.length;
  }

  /** Brings the next `count` bytes to hand; `what` names them where the file ends before. */
  async need(count: number, what: string): Promise<void> {
    if (this.has(count)) return;
    const { at } = this;
    if (count > this.left) {
      throw this.#refused('cut', `the file ends within ${JSON.stringify(what)}`, what);
    }
    const end = Math.min(at + Math.max(count, this.#range), this.#source.size);
    this.#fetched += end - at;
    if (this.#fetched > MAX_HEADER) {
      throw this.#refused('header-length', `the header takes more than ${MAX_HEADER} bytes`, what);
    }
    this.#bytes = (await this.#source.read(at, end, this.#signal)) as Uint8Array<ArrayBuffer>;
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
    this.#start = at;
    this.#used = 0;
    this.#range = Math.min(2 * this.#range, LAST_RANGE);
  }

  #refused(code: string, message: string, where: string): FindingError {
    return new FindingError({
      code: `gguf-${code}`,
      where,
      message: `gguf: ${message}`,
      advice: 'The file is damaged or its download did not finish: get it again.',
    });
  }

  /** Steps over `count` bytes, which need not be at hand. */
  skip(count: number): void {
    this.#used += count;
  }

  bytes(count: number): Uint8Array {
    return this.#bytes.subarray(this.#used, (this.#used += count));
  }
  u8(): number {
    return this.#view.getUint8((this.#used += 1) - 1);
  }
  u16(): number {
    return this.#view.getUint16((this.#used += 2) - 2, !this.bigEndian);
  }
  u32(): number {
    return this.#view.getUint32((this.#used += 4) - 4, !this.bigEndian);
  }
  u64(): bigint {
    return this.#view.getBigUint64((this.#used += 8) - 8, !this.bigEndian);
  }
  f32(): number {
    return this.#view.getFloat32((this.#used += 4) - 4, !this.bigEndian);
  }
  f64(): number {
    return this.#view.getFloat64((this.#used += 8) - 8, !this.bigEndian);
  }
}
