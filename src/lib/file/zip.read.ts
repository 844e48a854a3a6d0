/**
 * Reads zip files by ranges. Only the central directory is trusted for names, sizes and offsets:
 * PyTorch leaves the local headers' sizes at zero. Local headers are read when an entry is, to find
 * where its payload starts. What does not add up is an error that names the entry.
 */
import { crc32 } from './crc32.ts';
import { sliceSource, type Source } from './source.ts';
import { checkCrc, inflatedSource } from './zip.inflate.ts';
import {
  CENTRAL_HEADER,
  DEFLATED,
  END,
  END64,
  END64_LOCATOR,
  FLAG_ENCRYPTED,
  FULL_16,
  FULL_32,
  LOCAL_HEADER,
  STORED,
  ZIP64_EXTRA,
  type ZipEntry,
} from './zip.ts';

/** A zip comment is at most 65,535 bytes, so the end record starts within this many of the end. */
const MAX_END_DISTANCE = END.size + 0xffff;
/** The directory of a million tensors takes about 100 MB; more is a lie or no checkpoint. */
const MAX_DIRECTORY = 512 * 2 ** 20;

export interface Zip {
  readonly source: Source;
  /** In the directory's order; names are unique. */
  readonly entries: ReadonlyMap<string, ZipEntry>;
}

/** Reads the central directory. Throws an Error that says what is broken. */
export async function openZip(source: Source, signal?: AbortSignal): Promise<Zip> {
  const directory = await findDirectory(source, signal);
  const bytes = await source.read(directory.offset, directory.offset + directory.size, signal);
  const entries = parseDirectory(bytes, directory);
  checkOverlaps(entries.values(), directory.offset);
  return { source, entries };
}

/** Where a zip's central directory lies and how many entries it lists. */
interface Directory {
  offset: number;
  size: number;
  count: number;
}

async function findDirectory(source: Source, signal?: AbortSignal): Promise<Directory> {
  const tailStart = Math.max(0, source.size - MAX_END_DISTANCE - END64_LOCATOR.size);
  const tail = await source.read(tailStart, source.size, signal);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  const end = findEnd(view);
  if (end < 0) {
    throw new Error('zip: no end of central directory: the file is cut off or damaged');
  }
  const directory = {
    count: view.getUint16(end + 10, true),
    size: view.getUint32(end + 12, true),
    offset: view.getUint32(end + 16, true),
  };
  const full =
    directory.count === FULL_16 || directory.size === FULL_32 || directory.offset === FULL_32;
  const locator = end - END64_LOCATOR.size;
  if (locator >= 0 && view.getUint32(locator, true) === END64_LOCATOR.signature) {
    Object.assign(directory, await readEnd64(source, big(view, locator + 8), signal));
  } else if (full && directory.count !== FULL_16) {
    throw new Error('zip: the directory refers to ZIP64 fields that the file lacks');
  }
  const limit = tailStart + end;
  if (directory.offset + directory.size > limit) {
    throw new Error(
      `zip: the directory (${directory.size} bytes at byte ${directory.offset}) reaches past its end record at byte ${limit}: the file is cut off or damaged`,
    );
  }
  if (directory.size > MAX_DIRECTORY) {
    throw new Error(
      `zip: the directory claims ${directory.size} bytes, the limit is ${MAX_DIRECTORY}`,
    );
  }
  if (directory.count * CENTRAL_HEADER.size > directory.size) {
    throw new Error(
      `zip: the directory claims ${directory.count} entries, its ${directory.size} bytes hold fewer`,
    );
  }
  return directory;
}

function findEnd(view: DataView): number {
  for (let at = view.byteLength - END.size; at >= 0; at--) {
    if (
      view.getUint32(at, true) === END.signature &&
      at + END.size + view.getUint16(at + 20, true) === view.byteLength
    ) {
      return at;
    }
  }
  return -1;
}

async function readEnd64(source: Source, offset: number, signal?: AbortSignal) {
  if (offset + END64.size > source.size) {
    throw new Error(`zip: the ZIP64 end record is said to be at byte ${offset}, past the end`);
  }
  const bytes = await source.read(offset, offset + END64.size, signal);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== END64.signature) {
    throw new Error(`zip: no ZIP64 end record at byte ${offset}`);
  }
  return { count: big(view, 32), size: big(view, 40), offset: big(view, 48) };
}

/** A 64-bit number; beyond 2⁵³ no file reaches, so such a number is a lie. */
function big(view: DataView, at: number): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new Error(`zip: the 64-bit field ${value} is larger than any file`);
  }
  return Number(value);
}

function parseDirectory(bytes: Uint8Array, directory: Directory): Map<string, ZipEntry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder();
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let index = 0; index < directory.count; index++) {
    if (
      at + CENTRAL_HEADER.size > bytes.length ||
      view.getUint32(at, true) !== CENTRAL_HEADER.signature
    ) {
      throw new Error(`zip: entry ${index} of ${directory.count} is missing from the directory`);
    }
    const nameStart = at + CENTRAL_HEADER.size;
    const extraStart = nameStart + view.getUint16(at + 28, true);
    const extraEnd = extraStart + view.getUint16(at + 30, true);
    const next = extraEnd + view.getUint16(at + 32, true);
    if (next > bytes.length) throw new Error(`zip: entry ${index} reaches past the directory`);
    const name = decoder.decode(bytes.subarray(nameStart, extraStart));
    const sizes = {
      size: view.getUint32(at + 24, true),
      compressedSize: view.getUint32(at + 20, true),
      headerOffset: view.getUint32(at + 42, true),
    };
    widen(sizes, new DataView(bytes.buffer, bytes.byteOffset + extraStart, extraEnd - extraStart));
    if (entries.has(name)) throw new Error(`zip: two entries are named ${JSON.stringify(name)}`);
    entries.set(name, {
      name,
      flags: view.getUint16(at + 8, true),
      method: view.getUint16(at + 10, true),
      crc32: view.getUint32(at + 16, true),
      ...sizes,
    });
    at = next;
  }
  return entries;
}

/** Replaces full 32-bit fields by their ZIP64 twins, which stand in this fixed order. */
function widen(
  sizes: { size: number; compressedSize: number; headerOffset: number },
  extra: DataView,
): void {
  for (let at = 0; at + 4 <= extra.byteLength;) {
    const id = extra.getUint16(at, true);
    const end = at + 4 + extra.getUint16(at + 2, true);
    if (id === ZIP64_EXTRA && end <= extra.byteLength) {
      let field = at + 4;
      for (const key of ['size', 'compressedSize', 'headerOffset'] as const) {
        if (sizes[key] !== FULL_32) continue;
        if (field + 8 > end) throw new Error(`zip: the ZIP64 extra field lacks the ${key}`);
        sizes[key] = big(extra, field);
        field += 8;
      }
    }
    at = end;
  }
}

/** No two entries may share bytes, none may reach into the directory. */
function checkOverlaps(entries: Iterable<ZipEntry>, directoryOffset: number): void {
  const byOffset = [...entries].sort((a, b) => a.headerOffset - b.headerOffset);
  byOffset.forEach((entry, index) => {
    const next = byOffset[index + 1];
    const end = entry.headerOffset + LOCAL_HEADER.size + entry.compressedSize;
    if (end > (next?.headerOffset ?? directoryOffset)) {
      throw new Error(
        `zip: entry ${JSON.stringify(entry.name)} overlaps ${next ? JSON.stringify(next.name) : 'the directory'}`,
      );
    }
  });
}

/**
 * An entry as a Source that reads by ranges. A stored payload that is read from its first to its
 * last byte has its CRC-32 checked; a CRC of 0 means that the writer left it out
 * (`torch.serialization.set_crc32_options(False)`). A deflated one is inflated as it is read.
 */
export async function entrySource(
  zip: Zip,
  entry: ZipEntry,
  signal?: AbortSignal,
): Promise<Source> {
  const { name, size, compressedSize, method } = entry;
  if (entry.flags & FLAG_ENCRYPTED) throw new Error(`zip: entry ${name} is encrypted`);
  if (method !== STORED && method !== DEFLATED) {
    throw new Error(`zip: entry ${name} uses the unknown method ${method}`);
  }
  if (method === STORED && size !== compressedSize) {
    throw new Error(
      `zip: stored entry ${name} claims ${size} bytes, and ${compressedSize} in the file`,
    );
  }
  const start = await payloadStart(zip, entry, signal);
  const raw = sliceSource(zip.source, start, start + compressedSize, name);
  if (method === DEFLATED) return inflatedSource(raw, entry);
  return entry.crc32 === 0 ? raw : checked(raw, entry);
}

/** Adds up the CRC-32 of reads that follow on one another, and compares it at the end. */
function checked(source: Source, entry: ZipEntry): Source {
  let crc = 0;
  let at = 0;
  return {
    ...source,
    async read(start, end, signal) {
      const bytes = await source.read(start, end, signal);
      if (start === 0) crc = at = 0;
      if (start === at) {
        crc = crc32(bytes, crc);
        at = end;
        if (at === entry.size) checkCrc(crc, entry);
      }
      return bytes;
    },
  };
}

/** The whole payload, its CRC-32 checked. */
export async function readEntry(
  zip: Zip,
  entry: ZipEntry,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const source = await entrySource(zip, entry, signal);
  return source.read(0, source.size, signal);
}

async function payloadStart(zip: Zip, entry: ZipEntry, signal?: AbortSignal): Promise<number> {
  const at = entry.headerOffset;
  const header = await zip.source.read(at, at + LOCAL_HEADER.size, signal);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (view.getUint32(0, true) !== LOCAL_HEADER.signature) {
    throw new Error(`zip: entry ${entry.name} has no local header at byte ${at}`);
  }
  const start = at + LOCAL_HEADER.size + view.getUint16(26, true) + view.getUint16(28, true);
  if (start + entry.compressedSize > zip.source.size) {
    throw new Error(`zip: entry ${entry.name} reaches past the end of the file`);
  }
  return start;
}
