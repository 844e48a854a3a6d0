/**
 * Whether data is the same as it was: a hash of the files' names, sizes and a sample of their bytes.
 * It costs the same for a file of any size, and does not depend on the order of the files. Two files
 * that differ in a few bytes which are not looked at are taken for the same.
 */
import { sha256 } from 'hash-wasm';
import type { DataFile } from './given.ts';

/** Files whose bytes are looked at; of a hundred thousand pictures the names and sizes tell enough. */
const MAX_FILES = 64;
/** A file up to this size is read whole. */
const WHOLE = 2 ** 18;
/** Pieces of a larger one, evenly from its first to its last byte, and their size. */
const PIECES = 16;
const PIECE = 2 ** 13;

/** 64 hexadecimal digits. */
export async function fingerprintOf(
  files: readonly DataFile[],
  signal?: AbortSignal,
): Promise<string> {
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const every = Math.max(1, Math.ceil(sorted.length / MAX_FILES));
  const lines: string[] = [];
  for (const [at, { path, file }] of sorted.entries()) {
    signal?.throwIfAborted();
    const sample = at % every === 0 ? await sampleOf(file) : '';
    lines.push(JSON.stringify([path, file.size, sample]));
  }
  return sha256(lines.join('\n'));
}

async function sampleOf(file: Blob): Promise<string> {
  const last = file.size - PIECE;
  const pieces =
    file.size <= WHOLE
      ? [file]
      : Array.from({ length: PIECES }, (_, at) => {
          const start = Math.round((last * at) / (PIECES - 1));
          return file.slice(start, start + PIECE);
        });
  return sha256(new Uint8Array(await new Blob(pieces).arrayBuffer()));
}
