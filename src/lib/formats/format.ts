import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import type { Value } from '#lib/checkpoint/value.ts';
import type { Sink } from '#lib/file/sink.ts';
import type { Source } from '#lib/file/source.ts';
import type { Zip } from '#lib/file/zip.read.ts';

/** What the formats see of a file before one of them takes it. */
export interface Probe {
  readonly source: Source;
  /** The first bytes, up to 512. */
  readonly head: Uint8Array;
  /** The directory, where the file is a zip. */
  readonly zip: Zip | null;
}

/** One entry of the table of formats. */
export interface Format {
  readonly name: string;
  /** For people: `PyTorch checkpoint (zip)`. */
  readonly title: string;
  /** With the dot, the usual one first. */
  readonly extensions: readonly string[];
  /** Whether the content looks like this format; the name of the file does not count. */
  match(probe: Probe): boolean;
  /** Reads the directory, never the tensors. Throws a FindingError or an Error. */
  read(probe: Probe, signal?: AbortSignal): Promise<Checkpoint>;
  /**
   * Throws the Error with which `write` would begin, for a tree that the format cannot hold; without
   * reading a tensor.
   */
  check?(root: Value, options: Pick<WriteOptions, 'metadata'>): void;
  /** Writes a tree of values as a stream. Throws an Error that names what cannot be written. */
  write?(root: Value, sink: Sink, options: WriteOptions): Promise<void>;
}

export interface WriteOptions {
  /** Name of the archive inside of the file, where the format has one: the file's stem. */
  readonly stem: string;
  /** Free texts that the format can carry. */
  readonly metadata?: ReadonlyMap<string, string>;
  readonly signal?: AbortSignal;
  /** Called with the bytes written so far. */
  readonly onProgress?: (bytes: number) => void;
}
