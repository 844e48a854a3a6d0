/** What every reader of a kind of data is given, and what it gives. */
import type { NamedBlob } from '../open_for_use.ts';
import type { Pixels } from '../resample.ts';
import type { Tokenizer } from '../tokenizer.ts';
import type { DataChoices, DataWish } from './choices.ts';
import type { Dataset } from './dataset.ts';

export interface DataFile {
  /** With slashes; that of a file in a folder begins with the folder. */
  readonly path: string;
  readonly file: NamedBlob;
}

/** A file that is opened when it is asked for: one of a zip is unpacked then. */
export interface DataMember {
  readonly path: string;
  open(): Promise<NamedBlob>;
}

/** What reading may need beyond the files. */
export interface DataTools {
  /** A picture file as RGB bytes; the browser's decoding by default. */
  readonly decodePicture?: (picture: Blob) => Promise<Pixels>;
  /** Makes the ids of texts; without one, every character has an id. */
  readonly tokenizer?: Tokenizer;
}

export interface Given {
  /** Of the data set. */
  readonly name: string;
  /** Of the kind in question, none else. */
  readonly files: readonly DataMember[];
  /** The files, folders or zips that were brought and have these files in them. */
  readonly sources: readonly string[];
  readonly wish: DataWish;
  readonly tools: DataTools;
  readonly fingerprint: string;
  readonly signal?: AbortSignal;
}

export interface Reading {
  readonly dataset: Dataset;
  readonly choices: DataChoices;
}
