/** Pickles and raw numbers that follow on one another in a member of a tar file. */
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Source } from '#lib/file/source.ts';
import { Budget, readPickle, type Pickle } from '#lib/pickle/read.ts';
import { broken } from './torch.storages.ts';

/** Holds a record of a few hundred bytes, and small storages with it. */
const FIRST_READ = 4096;
/** A pickle is read as a whole; a list of a million views takes some 50 MB. */
const MAX_PICKLE = 2 ** 28;

export class TarCursor {
  /** Where what comes next begins. */
  at = 0;
  readonly source: Source;
  readonly #budget: Budget;
  readonly #signal: AbortSignal | undefined;
  /** The range at hand, and where it begins. */
  #bytes: Uint8Array = new Uint8Array();
  #start = 0;

  constructor(source: Source, budget: Budget, signal?: AbortSignal) {
    this.source = source;
    this.#budget = budget;
    this.#signal = signal;
  }

  /** The pickle that comes next. Nothing says how long it is, so more is read as needed. */
  async pickle(): Promise<Pickle> {
    const { at, left } = this;
    for (let size = FIRST_READ; ; size *= 2) {
      await this.#need(Math.min(size, left));
      const start = this.#start;
      try {
        const pickle = readPickle(this.#bytes, at - start, this.#budget);
        this.at = start + pickle.end;
        const calls = pickle.calls.map((call) => ({ ...call, offset: call.offset + start }));
        return { ...pickle, calls };
      } catch (error) {
        if (!(error instanceof FindingError)) throw error;
        if (size < Math.min(left, MAX_PICKLE)) continue;
        throw broken(`the member ${JSON.stringify(this.source.name)} has no pickle at byte ${at}`);
      }
    }
  }

  /** The next `count` bytes. */
  async bytes(count: number): Promise<DataView> {
    this.#check(count);
    await this.#need(count);
    const offset = this.#bytes.byteOffset + this.at - this.#start;
    this.at += count;
    return new DataView(this.#bytes.buffer, offset, count);
  }

  /** Steps over the next `count` bytes without reading them. */
  skip(count: number): void {
    this.#check(count);
    this.at += count;
  }

  get left(): number {
    return this.source.size - this.at;
  }

  #check(count: number): void {
    if (count <= this.left) return;
    const { name, size } = this.source;
    throw broken(
      `the member ${JSON.stringify(name)} ends at byte ${size}, ${count} bytes are needed at byte ${this.at}`,
    );
  }

  async #need(count: number): Promise<void> {
    if (this.at >= this.#start && this.at + count <= this.#start + this.#bytes.length) return;
    const end = Math.min(this.at + Math.max(count, FIRST_READ), this.source.size);
    this.#bytes = await this.source.read(this.at, end, this.#signal);
    this.#start = this.at;
  }
}
