/**
 * Reads zip files by ranges. Only the central directory is trusted for names, sizes and offsets:
 * PyTorch leaves the local headers' sizes at zero. Local headers are read when an entry is, to find
 * where its payload starts. What does not add up is an error that names the entry.
 */
import { crc32, crc32Fresh, joinCrc32, type Summed } from './crc32.ts';
import { sliceSource, windowedSource, type Source } from './source.ts';
import { listZip, ZipError } from './zip.directory.ts';
import { checkCrc, inflatedSource } from './zip.inflate.ts';
import { DEFLATED, FLAG_ENCRYPTED, LOCAL_HEADER, STORED, type ZipEntry } from './zip.ts';

export interface Zip {
  readonly source: Source;
  /** In the directory's order; names are unique. */
  readonly entries: ReadonlyMap<string, ZipEntry>;
}

/** Reads the central directory. Throws a ZipError that says what is broken or ambiguous. */
export async function openZip(source: Source, signal?: AbortSignal): Promise<Zip> {
  const { entries, problems } = await listZip(source, signal);
  if (problems[0]) throw problems[0];
  return { source, entries: new Map(entries.map((entry) => [entry.name, entry])) };
}

/**
 * An entry as a Source that reads by ranges. A stored payload that is read from its first to its
 * last byte has its CRC-32 checked; a CRC of 0 means that the writer left it out
 * (`torch.serialization.set_crc32_options(False)`). A deflated one is inflated as it is read.
 */
export async function entrySource(
  zip: Pick<Zip, 'source'>,
  entry: ZipEntry,
  signal?: AbortSignal,
): Promise<Source> {
  const { name, size, compressedSize, method } = entry;
  if (entry.flags & FLAG_ENCRYPTED) {
    throw new ZipError('zip-encrypted', `zip: entry ${name} is encrypted`);
  }
  if (method !== STORED && method !== DEFLATED) {
    throw new ZipError('zip-method', `zip: entry ${name} uses the unknown method ${method}`);
  }
  if (method === STORED && size !== compressedSize) {
    throw new ZipError(
      'zip-size',
      `zip: stored entry ${name} claims ${size} bytes, and ${compressedSize} in the file`,
    );
  }
  const local = await localHeader(zip, entry, signal);
  if (local.problem) throw local.problem;
  const raw = sliceSource(zip.source, local.start, local.start + compressedSize, name);
  if (method === DEFLATED) return inflatedSource(raw, entry);
  return entry.crc32 === 0 ? raw : checked(raw, entry);
}

/** Passes through an entry that are followed at a time: who only looks at its head leaves one behind. */
const MAX_PASSES = 16;

/**
 * Adds up the CRC-32 of reads that follow on one another from the first byte, and compares it in the
 * last one. The next may be asked for while the one before is under way.
 */
function checked(source: Source, entry: ZipEntry): Source {
  /** By the offset at which the next read would go on: the sum of all bytes before. */
  const passes = new Map<number, Promise<number>>();
  return {
    ...source,
    readUnchecked: source.read,
    async read(start, end, signal) {
      const before = start === 0 ? Promise.resolve(0) : passes.get(start);
      if (!before) return source.read(start, end, signal);
      const reading = readSummed(source, start, end, signal);
      const sum = Promise.all([before, reading]).then(([first, { crc }]) =>
        joinCrc32(first, crc, end - start),
      );
      sum.catch(() => {}); // told by the read that failed
      passes.delete(start);
      if (end === entry.size) {
        checkCrc(await sum, entry);
      } else {
        passes.set(end, sum);
        const [oldest] = passes.keys();
        if (passes.size > MAX_PASSES) passes.delete(oldest!);
      }
      return (await reading).bytes;
    },
  };
}

async function readSummed(
  source: Source,
  start: number,
  end: number,
  signal?: AbortSignal,
): Promise<Summed> {
  const bytes = await source.read(start, end, signal);
  return source.fresh ? crc32Fresh(bytes) : { bytes, crc: await crc32(bytes) };
}

/** Payloads up to this size are read together with their local header. */
const SMALL = 2 ** 20;
/** Bytes of a local header beside its name: PyTorch pads it so that payloads lie at 64. */
const MOST_EXTRA = 96;

/** The whole payload, its CRC-32 checked. */
export async function readEntry(
  zip: Pick<Zip, 'source'>,
  entry: ZipEntry,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const { name, headerOffset, compressedSize } = entry;
  const most = headerOffset + LOCAL_HEADER.size + name.length + MOST_EXTRA + compressedSize;
  const file = zip.source;
  const near =
    headerOffset >= 0 && compressedSize <= SMALL
      ? windowedSource(file, headerOffset, Math.min(most, file.size))
      : file;
  const source = await entrySource({ source: near }, entry, signal);
  return source.read(0, source.size, signal);
}

/**
 * The payload of an entry that `readEntry` refuses, for looking at: its CRC-32 is not checked, and
 * what is encrypted or packed by an unknown method comes as it lies in the file. At most `limit`
 * bytes. Throws where there is nothing to read.
 */
export async function rawEntry(
  zip: Pick<Zip, 'source'>,
  entry: ZipEntry,
  limit: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const { start } = await localHeader(zip, entry, signal);
  const end = Math.min(start + entry.compressedSize, zip.source.size);
  const raw = sliceSource(zip.source, start, end, entry.name);
  const isPacked = entry.method === DEFLATED && !(entry.flags & FLAG_ENCRYPTED);
  if (!isPacked) return raw.read(0, Math.min(raw.size, limit), signal);
  const inflated = inflatedSource(raw, entry, false);
  return inflated.read(0, Math.min(entry.size, limit), signal);
}

/**
 * Where an entry's payload starts, by its local header, and what that says else than the directory.
 * Throws a ZipError where there is none.
 */
export async function localHeader(
  zip: Pick<Zip, 'source'>,
  entry: ZipEntry,
  signal?: AbortSignal,
): Promise<{ start: number; problem?: ZipError }> {
  const { name, headerOffset: at, compressedSize, flags } = entry;
  const { source } = zip;
  const named = new TextEncoder().encode(name).length;
  const header =
    at >= 0 && at + LOCAL_HEADER.size <= source.size
      ? await source.read(at, Math.min(at + LOCAL_HEADER.size + named, source.size), signal)
      : new Uint8Array(LOCAL_HEADER.size);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (view.getUint32(0, true) !== LOCAL_HEADER.signature) {
    throw new ZipError('zip-broken', `zip: entry ${name} has no local header at byte ${at}`);
  }
  const nameSize = view.getUint16(26, true);
  const start = at + LOCAL_HEADER.size + nameSize + view.getUint16(28, true);
  if (start > source.size) {
    throw new ZipError('zip-broken', `zip: entry ${name} reaches past the end of the file`);
  }
  const problem = (code: ZipError['code'], message: string) => ({
    start,
    problem: new ZipError(code, message),
  });
  if (start + compressedSize > source.size) {
    return problem('zip-broken', `zip: entry ${name} reaches past the end of the file`);
  }
  const local = new TextDecoder().decode(header.subarray(LOCAL_HEADER.size));
  if (nameSize !== named || local !== name) {
    return problem(
      'zip-mismatch',
      `zip: the directory calls an entry ${JSON.stringify(name)}, its own header at byte ${at} does not`,
    );
  }
  if ((view.getUint16(6, true) ^ flags) & FLAG_ENCRYPTED) {
    return problem(
      'zip-mismatch',
      `zip: entry ${name} is encrypted by one of its headers and not by the other`,
    );
  }
  return { start };
}
