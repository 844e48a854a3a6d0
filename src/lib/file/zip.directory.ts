/**
 * Finds and reads zip directories, sound or not. A file may hold several: another zip can be
 * appended, or put in front, and readers disagree on which one counts. What is wrong with a
 * directory that can be read is listed beside its entries, so that it can be shown; `openZip`
 * refuses what this finds.
 */
import { windowedSource, type Source } from './source.ts';
import {
  CENTRAL_HEADER,
  END,
  END64,
  END64_LOCATOR,
  FULL_16,
  FULL_32,
  LOCAL_HEADER,
  ZIP64_EXTRA,
  type ZipEntry,
} from './zip.ts';

/** A zip comment is at most 65,535 bytes, so the end record starts within this many of the end. */
const MAX_END_DISTANCE = END.size + 0xffff;
/** The end records of most files, with their ZIP64 twins. */
const TAIL = END64.size + END64_LOCATOR.size + END.size;
/** The directory of a million tensors takes about 100 MB; more is a lie or no checkpoint. */
const MAX_DIRECTORY = 512 * 2 ** 20;
/** A directory of this size is read without a look at its first bytes. */
const SMALL = 2 ** 20;
/** Problems of one kind that are listed: a directory may hold a million entries. */
const MAX_LISTED = 20;

export type ZipProblemCode =
  | 'zip-broken'
  | 'zip-ambiguous'
  | 'zip-overlap'
  | 'zip-count'
  | 'zip-mismatch'
  | 'zip-crc'
  | 'zip-encrypted'
  | 'zip-method'
  | 'zip-size';

/** What is wrong with a zip, in one sentence. */
export class ZipError extends Error {
  readonly code: ZipProblemCode;
  constructor(code: ZipProblemCode, message: string) {
    super(message);
    this.name = 'ZipError';
    this.code = code;
  }
}

export interface ZipListing {
  readonly source: Source;
  /** In the directory's order; names may repeat. Offsets count from the start of the file. */
  readonly entries: readonly ZipEntry[];
  /** Where the directory lies, and where the archive ends. */
  readonly offset: number;
  readonly end: number;
  readonly problems: readonly ZipError[];
}

/**
 * Reads the directory that ends at `end`, an offset of `findEnds`; without it, the one that zip
 * readers take. Throws a ZipError where none can be read.
 */
export async function listZip(
  source: Source,
  signal?: AbortSignal,
  end?: number,
): Promise<ZipListing> {
  const problems: ZipError[] = [];
  const tail = windowedSource(source, Math.max(0, source.size - TAIL), source.size);
  const directory = await readEnd(tail, end ?? (await lastEnd(tail, signal)), problems, signal);
  const { offset, bytes } = directory;
  const entries = parseDirectory(bytes, directory, problems);
  checkNames(entries, problems);
  checkPlaces(entries, offset, problems);
  return { source, entries, offset, end: directory.end, problems };
}

/** Where a zip's central directory lies and how many entries it lists. */
interface Directory {
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly count: number;
  /** What must be added to its offsets: the bytes in front of the archive. */
  readonly shift: number;
  /** Just behind the archive. */
  readonly end: number;
}

/**
 * The end record with the comment that reaches the end of the file. Most have none: they are found
 * in the file's last bytes, and the longest comment is read only where something else is there.
 */
async function lastEnd(source: Source, signal?: AbortSignal): Promise<number> {
  for (const distance of [END.size, MAX_END_DISTANCE]) {
    const start = Math.max(0, source.size - distance);
    const view = viewOf(await source.read(start, source.size, signal));
    for (let at = view.byteLength - END.size; at >= 0; at--) {
      if (isEnd(view, at) && at + END.size + view.getUint16(at + 20, true) === view.byteLength) {
        return start + at;
      }
    }
  }
  throw new ZipError(
    'zip-broken',
    'zip: no end of central directory: the file is cut off or damaged',
  );
}

/** Offsets in `bytes` at which an end record may stand. */
export function* findEnds(bytes: Uint8Array): Generator<number> {
  const view = viewOf(bytes);
  for (let at = bytes.indexOf(0x50); at >= 0; at = bytes.indexOf(0x50, at + 1)) {
    if (at + END.size <= bytes.length && isEnd(view, at)) yield at;
  }
}

function isEnd(view: DataView, at: number): boolean {
  return view.getUint32(at, true) === END.signature;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Reads the end record at `at` and, where there is one, its ZIP64 twin. */
async function readEnd(
  source: Source,
  at: number,
  problems: ZipError[],
  signal?: AbortSignal,
): Promise<Directory> {
  const start = Math.max(0, at - END64_LOCATOR.size);
  const view = viewOf(await source.read(start, at + END.size, signal));
  const end = at - start;
  let count = view.getUint16(end + 10, true);
  if (view.getUint16(end + 8, true) !== count) {
    problems.push(
      new ZipError(
        'zip-count',
        `zip: the end record counts ${view.getUint16(end + 8, true)} entries on its disk, and ${count} in all`,
      ),
    );
  }
  let size = view.getUint32(end + 12, true);
  let offset = view.getUint32(end + 16, true);
  /** Where the directory should end. */
  let limit = at;
  const full = count === FULL_16 || size === FULL_32 || offset === FULL_32;
  if (end > 0 && view.getUint32(0, true) === END64_LOCATOR.signature) {
    const wide = await readEnd64(source, big(view, 8), start, signal);
    ({ count, size, offset } = wide);
    limit = wide.at;
  } else if (full && count !== FULL_16) {
    throw new ZipError(
      'zip-broken',
      'zip: the directory refers to ZIP64 fields that the file lacks',
    );
  }
  if (size > MAX_DIRECTORY) {
    throw new ZipError(
      'zip-broken',
      `zip: the directory claims ${size} bytes, the limit is ${MAX_DIRECTORY}`,
    );
  }
  if (count * CENTRAL_HEADER.size > size) {
    problems.push(
      new ZipError(
        'zip-count',
        `zip: the directory claims ${count} entries, its ${size} bytes hold fewer`,
      ),
    );
  }
  const shift = limit - size - offset;
  const named = offset + size <= limit ? await directoryAt(source, offset, size, signal) : null;
  const bytes =
    named ?? (limit >= size ? await directoryAt(source, limit - size, size, signal) : null);
  if (!bytes) {
    throw new ZipError(
      'zip-broken',
      offset + size > limit
        ? `zip: the directory (${size} bytes at byte ${offset}) reaches past its end record at byte ${limit}: the file is cut off or damaged`
        : `zip: entry 0 of ${count} is missing from the directory`,
    );
  }
  if (shift !== 0) {
    problems.push(
      new ZipError(
        'zip-ambiguous',
        `zip: the directory ends ${Math.abs(shift)} bytes ${shift > 0 ? 'before' : 'behind'} the place that it names: something was put in front of the archive or into it`,
      ),
    );
  }
  return {
    count,
    bytes,
    offset: named ? offset : limit - size,
    shift: named ? 0 : shift,
    end: at + END.size + view.getUint16(end + 20, true),
  };
}

async function directoryAt(
  source: Source,
  offset: number,
  size: number,
  signal?: AbortSignal,
): Promise<Uint8Array | null> {
  if (size < CENTRAL_HEADER.size) return size === 0 ? new Uint8Array() : null;
  const isHere = (bytes: Uint8Array) =>
    viewOf(bytes).getUint32(0, true) === CENTRAL_HEADER.signature;
  if (size > SMALL && !isHere(await source.read(offset, offset + 4, signal))) return null;
  const bytes = await source.read(offset, offset + size, signal);
  return isHere(bytes) ? bytes : null;
}

async function readEnd64(source: Source, at: number, limit: number, signal?: AbortSignal) {
  if (at + END64.size > source.size) {
    throw new ZipError(
      'zip-broken',
      `zip: the ZIP64 end record is said to be at byte ${at}, past the end`,
    );
  }
  // Bytes in front of the archive move the record: it stands just before its locator.
  for (const place of [at, limit - END64.size]) {
    if (place < 0) continue;
    const view = viewOf(await source.read(place, place + END64.size, signal));
    if (view.getUint32(0, true) !== END64.signature) continue;
    return { count: big(view, 32), size: big(view, 40), offset: big(view, 48), at: place };
  }
  throw new ZipError('zip-broken', `zip: no ZIP64 end record at byte ${at}`);
}

/** A 64-bit number; beyond 2⁵³ no file reaches, so such a number is a lie. */
function big(view: DataView, at: number): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new ZipError('zip-broken', `zip: the 64-bit field ${value} is larger than any file`);
  }
  return Number(value);
}

function parseDirectory(
  bytes: Uint8Array,
  { count, shift }: Directory,
  problems: ZipError[],
): ZipEntry[] {
  const view = viewOf(bytes);
  const decoder = new TextDecoder();
  const entries: ZipEntry[] = [];
  let at = 0;
  while (
    at + CENTRAL_HEADER.size <= bytes.length &&
    view.getUint32(at, true) === CENTRAL_HEADER.signature
  ) {
    const index = entries.length;
    const nameStart = at + CENTRAL_HEADER.size;
    const extraStart = nameStart + view.getUint16(at + 28, true);
    const extraEnd = extraStart + view.getUint16(at + 30, true);
    const next = extraEnd + view.getUint16(at + 32, true);
    if (next > bytes.length) {
      throw new ZipError('zip-broken', `zip: entry ${index} reaches past the directory`);
    }
    const sizes = {
      size: view.getUint32(at + 24, true),
      compressedSize: view.getUint32(at + 20, true),
      headerOffset: view.getUint32(at + 42, true),
    };
    widen(sizes, viewOf(bytes.subarray(extraStart, extraEnd)));
    entries.push({
      name: decoder.decode(bytes.subarray(nameStart, extraStart)),
      flags: view.getUint16(at + 8, true),
      method: view.getUint16(at + 10, true),
      crc32: view.getUint32(at + 16, true),
      ...sizes,
      headerOffset: sizes.headerOffset + shift,
    });
    at = next;
  }
  // Without ZIP64 the count is 16 bits wide, and some writers let it wrap around.
  if (entries.length !== count && problems.every(({ code }) => code !== 'zip-count')) {
    problems.push(
      new ZipError(
        'zip-count',
        entries.length < count
          ? `zip: entry ${entries.length} of ${count} is missing from the directory`
          : `zip: the directory claims ${count} entries and lists ${entries.length}`,
      ),
    );
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
        if (field + 8 > end) {
          throw new ZipError('zip-broken', `zip: the ZIP64 extra field lacks the ${key}`);
        }
        sizes[key] = big(extra, field);
        field += 8;
      }
    }
    at = end;
  }
}

function checkNames(entries: readonly ZipEntry[], problems: ZipError[]): void {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { name } of entries) (seen.has(name) ? twice : seen).add(name);
  for (const name of [...twice].slice(0, MAX_LISTED)) {
    problems.push(
      new ZipError('zip-ambiguous', `zip: two entries are named ${JSON.stringify(name)}`),
    );
  }
}

/** No two entries may share bytes, none may reach into the directory, the first starts the file. */
function checkPlaces(
  entries: readonly ZipEntry[],
  directoryOffset: number,
  problems: ZipError[],
): void {
  const byOffset = entries.toSorted((a, b) => a.headerOffset - b.headerOffset);
  const first = byOffset[0]?.headerOffset ?? 0;
  if (first > 0 && problems.every(({ code }) => code !== 'zip-ambiguous')) {
    problems.push(
      new ZipError(
        'zip-ambiguous',
        `zip: the first entry starts at byte ${first}: something else stands in front of it`,
      ),
    );
  }
  let listed = 0;
  for (const [index, entry] of byOffset.entries()) {
    const next = byOffset[index + 1];
    const end = entry.headerOffset + LOCAL_HEADER.size + entry.compressedSize;
    if (end <= (next?.headerOffset ?? directoryOffset)) continue;
    if (++listed > MAX_LISTED) return;
    problems.push(
      new ZipError(
        'zip-overlap',
        `zip: entry ${JSON.stringify(entry.name)} overlaps ${next ? JSON.stringify(next.name) : 'the directory'}`,
      ),
    );
  }
}
