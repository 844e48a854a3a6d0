/**
 * Asks of a file whether `torch.load(weights_only=True)` takes it: reads what PyTorch would read of
 * its zip, or the front of a file from before 1.6, and hands it to the model of the unpickler. Where
 * readers of zips disagree, or a zip is damaged, the answer is `unknown` at best.
 */
import type { Source } from '#lib/file/source.ts';
import { listZip, ZipError, type ZipListing } from '#lib/file/zip.directory.ts';
import { localHeader, readEntry } from '#lib/file/zip.read.ts';
import {
  CENTRAL_HEADER,
  DEFLATED,
  END,
  FLAG_DESCRIPTOR,
  FLAG_UTF8,
  STORED,
  type ZipEntry,
} from '#lib/file/zip.ts';
import { judgeLegacy, judgeSurroundings, judgeZipPickle } from './weights_only.load.ts';
import type { Judgement } from './weights_only.ts';
import { Unsure } from './weights_only.values.ts';

/** A judgement, and the record that its reason's offset counts in; empty for the file itself. */
export type FileJudgement = Judgement & { readonly record: string };

/** A pickle is read as a whole; that of a checkpoint with a million tensors takes some 200 MB. */
const MAX_PICKLE = 2 ** 30;
/** Bytes that are read first of a file that is no zip; doubled while its pickles break off in them. */
const FIRST_READ = 2 ** 20;
/** `version`, `byteorder` and the like take a few bytes. */
const MAX_TEXT = 1000;

/** Judges a file that is no tar. */
export async function judgeFile(source: Source, signal?: AbortSignal): Promise<FileJudgement> {
  const head = await source.read(0, Math.min(4, source.size), signal);
  if (String.fromCharCode(...head) !== 'PK\x03\x04') {
    return { ...(await judgeFront(source, signal)), record: '' };
  }
  let listing: ZipListing;
  try {
    listing = await listZip(source, signal);
  } catch (error) {
    if (!(error instanceof ZipError)) throw error;
    return unknown(error.message);
  }
  try {
    const judged = await judgeZip(listing, signal);
    if (judged.verdict !== 'loads') return judged;
    const problem = await zipProblem(listing, signal);
    return problem === null ? judged : unknown(problem);
  } catch (error) {
    if (!(error instanceof ZipError || error instanceof Unsure)) throw error;
    return unknown(error.message);
  }
}

function unknown(message: string): FileJudgement {
  const reason = { message: `its zip is damaged or ambiguous: ${message}` };
  return { verdict: 'unknown', reason, record: '' };
}

/** Local headers that are looked at; each costs a read. */
const MAX_HEADERS = 2000;
/** What miniz, PyTorch's reader of zips, knows of the flags: descriptors, UTF-8, how well it is packed. */
const KNOWN_FLAGS = FLAG_DESCRIPTOR | FLAG_UTF8 | 0b110;

/**
 * Why PyTorch may not read a zip whose pickle it would take, or null: its reader refuses archives for
 * entries that nobody asks for.
 */
async function zipProblem(listing: ZipListing, signal?: AbortSignal): Promise<string | null> {
  const { entries, problems } = listing;
  if (problems[0]) return problems[0].message;
  for (const { name, flags, method, size, compressedSize } of entries) {
    const isPacked = method === DEFLATED;
    const isOdd =
      (flags & ~KNOWN_FLAGS) !== 0 ||
      (method !== STORED && !isPacked) ||
      (isPacked ? size > 0 && compressedSize === 0 : size !== compressedSize) ||
      // PyTorch reads every name as UTF-8, whatever the flag says.
      (flags & FLAG_UTF8 ? name.includes('\ufffd') : name !== ascii(name));
    if (isOdd) return `the entry ${JSON.stringify(name)} is of a kind that torch.save never writes`;
  }
  if (await isSplit(listing, signal))
    return 'it is said to be a part of an archive on several disks';
  for (const entry of entries.slice(0, MAX_HEADERS)) {
    const { problem } = await localHeader(listing, entry, signal);
    if (problem) return problem.message;
  }
  return null;
}

/** Whether the end record or an entry names another disk than the first. */
async function isSplit(
  { source, offset, end, entries }: ZipListing,
  signal?: AbortSignal,
): Promise<boolean> {
  const bytes = await source.read(offset, end, signal);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  for (let left = entries.length; left > 0; left--) {
    if (view.getUint16(at + 34, true) !== 0) return true;
    const sizes = [28, 30, 32].map((field) => view.getUint16(at + field, true));
    at += CENTRAL_HEADER.size + sizes.reduce((sum, size) => sum + size, 0);
  }
  // The end record is the last that begins with its signature; nothing but a comment follows it.
  for (let last = view.byteLength - END.size; last >= at; last--) {
    if (view.getUint32(last, true) !== END.signature) continue;
    return view.getUint32(last + 4, true) !== 0;
  }
  return false;
}

async function judgeZip(listing: ZipListing, signal?: AbortSignal): Promise<FileJudgement> {
  const records = new RecordTable(listing);
  const refused = (message: string): FileJudgement => ({
    verdict: 'refused',
    reason: { message },
    record: '',
  });
  if (!records.folder) return refused('its zip has no folder that holds the records');
  if (listing.entries.some(({ name }) => !name.startsWith(records.folder))) {
    return refused('its zip holds records beside the folder of its first one');
  }
  const text = (name: string) => records.text(name, signal);
  const around = judgeSurroundings({
    version: (await text('.data/version')) ?? (await text('version')),
    byteorder: await text('byteorder'),
    alignment: await text('.storage_alignment'),
    identity: await text('.data/serialization_id'),
    isTorchScript: listing.entries.some(({ name }) => name === `${records.folder}constants.pkl`),
  });
  if (around) return { ...around, record: '' };
  const entry = records.find('data.pkl');
  if (!entry) return refused('the record "data.pkl" is missing');
  if (entry.size > MAX_PICKLE) throw new Unsure(`data.pkl takes ${entry.size} bytes`);
  const { verdict, reason } = judgeZipPickle(await readEntry(listing, entry, signal), {
    size: (name) => records.find(name)?.size ?? null,
  });
  return { verdict, ...(reason && { reason }), record: entry.name };
}

/** Records by name, as miniz finds them: upper and lower case are one. */
class RecordTable {
  /** Of the first entry, with the slash; all records lie in it. */
  readonly folder: string;
  readonly #listing: ZipListing;
  readonly #entries = new Map<string, ZipEntry | 'several'>();

  constructor(listing: ZipListing) {
    this.#listing = listing;
    const [first] = listing.entries;
    this.folder = /^[^/]*\//.exec(first?.name ?? '')?.[0] ?? '';
    for (const entry of listing.entries) {
      const name = folded(entry.name);
      this.#entries.set(name, this.#entries.has(name) ? 'several' : entry);
    }
  }

  find(name: string): ZipEntry | null {
    const entry = this.#entries.get(folded(this.folder + name)) ?? null;
    if (entry === 'several') throw new Unsure(`several records are called ${JSON.stringify(name)}`);
    return entry;
  }

  /** A short record, a character for each byte. */
  async text(name: string, signal?: AbortSignal): Promise<string | null> {
    const entry = this.find(name);
    if (!entry) return null;
    if (entry.size > MAX_TEXT) throw new Unsure(`the record ${JSON.stringify(name)} is long`);
    return String.fromCharCode(...(await readEntry(this.#listing, entry, signal)));
  }
}

function ascii(name: string): string {
  return name.replaceAll(/[\u0080-\uffff]/g, '');
}

function folded(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Judges the pickles at the front of a file, whose length nothing tells. */
async function judgeFront(source: Source, signal?: AbortSignal): Promise<Judgement> {
  const limit = Math.min(source.size, MAX_PICKLE);
  const readAt = (offset: number, count: number) =>
    source.read(Math.min(offset, source.size), Math.min(offset + count, source.size), signal);
  for (let size = Math.min(FIRST_READ, limit); ; size = Math.min(2 * size, limit)) {
    const front = await source.read(0, size, signal);
    const judged = await judgeLegacy(front, source.size, readAt);
    if (!judged.reason?.isBroken || size >= limit) return judged;
  }
}
