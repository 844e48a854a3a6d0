/**
 * The files in a dropped .zip, each unpacked when it is asked for. JSZip holds the zip as a whole, so
 * one that does not fit in memory is to be unpacked before: a folder is read from the disk.
 */
import type { JSZipObject } from 'jszip';
import { isInside } from '#lib/formats/folder.files.ts';
import type { NamedBlob } from '../open_for_use.ts';
import { DataError } from './choices.ts';
import type { DataFile, DataMember } from './given.ts';

/** Bytes of a zip, and of one file that is unpacked from it. */
const MAX_ZIP = 2 ** 30;
const MAX_UNPACKED = 2 ** 28;

/** JSZip's documented stream, which its types leave out. */
interface Streamed {
  internalStream(type: 'uint8array'): {
    on(event: 'data', listener: (bytes: Uint8Array<ArrayBuffer>) => void): unknown;
    on(event: 'error', listener: (error: Error) => void): unknown;
    on(event: 'end', listener: () => void): unknown;
    resume(): unknown;
    pause(): unknown;
  };
}

/** Throws a FindingError for a zip that is damaged, too large, or means files outside of itself. */
export async function zipMembers({ path, file }: DataFile): Promise<DataMember[]> {
  if (file.size > MAX_ZIP) {
    throw new DataError(
      `${path} takes ${file.size} bytes, at most ${MAX_ZIP} of a zip fit in memory`,
      'Unpack it and drop the folder: its files are read from the disk.',
    );
  }
  const { default: JSZip } = await import('jszip');
  const zip = await JSZip.loadAsync(await file.arrayBuffer()).catch((error: unknown) => {
    throw damaged(path, (error as Error).message);
  });
  const entries = Object.values(zip.files).filter(({ dir }) => !dir);
  return entries.map((entry) => {
    const name = (entry.unsafeOriginalName ?? entry.name).replaceAll('\\', '/');
    if (!isInside(name)) {
      throw new DataError(
        `${path} holds the path ${JSON.stringify(name)}, which leads out of it`,
        'Do not unpack this zip: get it from somebody you trust.',
      );
    }
    return { path: entry.name.replaceAll('\\', '/'), open: () => unpack(entry, path) };
  });
}

function unpack(entry: JSZipObject, zip: string): Promise<NamedBlob> {
  const stream = (entry as unknown as Streamed).internalStream('uint8array');
  return new Promise((resolve, reject) => {
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    let size = 0;
    stream.on('data', (bytes) => {
      size += bytes.length;
      pieces.push(bytes);
      if (size <= MAX_UNPACKED) return;
      stream.pause();
      reject(
        new DataError(
          `${entry.name} in ${zip} unpacks to more than ${MAX_UNPACKED} bytes`,
          'Unpack the zip and drop the folder: its files are read from the disk.',
        ),
      );
    });
    stream.on('error', (error) => reject(damaged(`${entry.name} in ${zip}`, error.message)));
    stream.on('end', () => {
      resolve(new File(pieces, entry.name.slice(entry.name.lastIndexOf('/') + 1)));
    });
    stream.resume();
  });
}

function damaged(what: string, why: string): DataError {
  return new DataError(`${what} does not unpack: ${why}`, 'Get the zip again, or drop the folder.');
}
