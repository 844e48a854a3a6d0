/**
 * Writing so that the old file stays good until the new one is whole, and is known to be whole.
 * `createWritable` writes beside the target and swaps on close; then the file is read back and its
 * CRC-32 compared with what was written. `opfs.ts` does the same faster on the browser's own disk.
 */
import { Crc32, crc32Fresh } from '#lib/file/crc32.ts';
import { giveBack, ReadAhead, wholeOf } from '#lib/file/read_ahead.ts';
import { pieceSink, type Sink } from '#lib/file/sink.ts';

/** Reads a file back, and throws an Error if it holds other bytes than were summed. */
export type Check = (file: File, written: Crc32) => Promise<void>;

/** Writes through `write` into `handle`, reads it back, gives the file. Throws if it differs. */
export async function writeVerified(
  handle: FileSystemFileHandle,
  write: (sink: Sink) => Promise<void>,
  check: Check = verify,
): Promise<File> {
  const stream = await handle.createWritable();
  const pieces = pieceSink(async (piece) => {
    await stream.write(piece);
    return piece.buffer;
  });
  const { sink, sum } = summedSink(pieces);
  try {
    await write(sink);
    await pieces.flush();
    await stream.close();
  } catch (error) {
    await stream.abort().catch(() => {}); // already broken: the old file stands
    throw error;
  }
  const file = await handle.getFile();
  await check(file, sum);
  return file;
}

/** A Sink that adds up the CRC-32 of what goes through it. */
export function summedSink(sink: Sink): { sink: Sink; sum: Crc32 } {
  const sum = new Crc32();
  const write = async (bytes: Uint8Array) => {
    await sum.add(bytes);
    await sink.write(bytes);
  };
  return { sink: { write }, sum };
}

/** The check that needs nothing but the bytes. */
export async function verify(file: File, written: Crc32): Promise<void> {
  const read = new Crc32();
  for await (const piece of new ReadAhead([wholeOf(file)]).next()) {
    const { bytes, crc } = await crc32Fresh(piece);
    read.append(crc, bytes.length);
    giveBack(bytes); // other ones than were given, where another thread has summed them
  }
  mustEqual(file, read, written);
}

/** Throws where the sum of what was read is not that of what was written. */
export function mustEqual(file: File, read: Crc32, written: Crc32): void {
  if (read.length === written.length && read.value === written.value) return;
  throw new Error(
    `storage: ${file.name} reads back as ${file.size} bytes that differ from the ${written.length} written: the disk is full or failing; save it elsewhere`,
  );
}
