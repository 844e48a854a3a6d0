/**
 * Zip files as a scan sees them: every directory that a reader might take, the entries that hold
 * pickles, and what does not fit together. Nothing is refused here; it is said.
 */
import type { Finding } from '#lib/checkpoint/finding.ts';
import type { Source } from '#lib/file/source.ts';
import { findEnds, listZip, ZipError, type ZipListing } from '#lib/file/zip.directory.ts';
import { localHeader, rawEntry, readEntry } from '#lib/file/zip.read.ts';
import { DEFLATED, STORED, type ZipEntry } from '#lib/file/zip.ts';
import { plain, quote } from '../repr.ts';
import type { RecordRow } from './report.ts';

/** Files up to this size are searched whole for directories; of longer ones, both ends are. */
const MAX_SEARCH = 2 ** 28;
/** Bytes at either end of a longer file that are searched. */
const ENDS = 2 ** 20;
/** Archives in one file that are shown. */
const MAX_READINGS = 8;
/** Local headers that are compared with the directory; each costs a read. */
const MAX_HEADERS = 2000;
/** An entry that is looked into lies in memory as a whole. */
const MAX_ENTRY = 2 ** 30;

/** The archives of a file, the one that zip readers take first. Throws a ZipError where there is none. */
export async function findArchives(source: Source, signal?: AbortSignal): Promise<ZipListing[]> {
  const whole = source.size <= MAX_SEARCH;
  const starts = whole ? [0] : [0, source.size - ENDS];
  const found: ZipListing[] = [];
  for (const start of starts) {
    const end = whole ? source.size : start + ENDS;
    const bytes = await source.read(start, end, signal);
    for (const at of [...findEnds(bytes)].slice(-10 * MAX_READINGS)) {
      try {
        found.push(await listZip(source, signal, start + at));
      } catch (error) {
        if (!(error instanceof ZipError)) throw error;
      }
    }
  }
  found.sort((a, b) => b.end - a.end);
  const [main] = found;
  if (!main) return [await listZip(source, signal)];
  // An archive that lies in an entry of another is that entry's content.
  return found
    .filter((it) => it === main || !found.some((other) => other !== it && contains(other, it)))
    .slice(0, MAX_READINGS);
}

function contains(outer: ZipListing, inner: ZipListing): boolean {
  return outer.entries.some(
    ({ headerOffset, compressedSize }) =>
      headerOffset < inner.offset && inner.end <= headerOffset + compressedSize + 2 ** 16,
  );
}

/** What is wrong with an archive, beside what its entries say when they are read. */
export async function archiveFindings(
  listing: ZipListing,
  signal?: AbortSignal,
): Promise<Finding[]> {
  const findings = listing.problems.map(findingOfZip);
  const folded = new Map<string, string>();
  for (const { name } of listing.entries) {
    const other = folded.get(name.toLowerCase());
    if (other !== undefined && other !== name && /\.pkl$/i.test(name)) {
      findings.push({
        code: 'zip-ambiguous',
        severity: 'error',
        where: plain(name),
        message: `zip: ${quote(other)} and ${quote(name)} differ in case only: PyTorch takes them for one name, other readers do not`,
        advice: 'Both are shown. Get the file from a source that you trust.',
      });
    }
    folded.set(name.toLowerCase(), name);
  }
  const checked = listing.entries.slice(0, MAX_HEADERS);
  for (const entry of checked) {
    if (entry.method !== STORED && entry.method !== DEFLATED) {
      findings.push(
        findingOfZip(
          new ZipError(
            'zip-method',
            `zip: entry ${entry.name} uses the unknown method ${entry.method}`,
          ),
        ),
      );
    }
    try {
      const { problem } = await localHeader(listing, entry, signal);
      if (problem) findings.push(findingOfZip(problem));
    } catch (error) {
      if (!(error instanceof ZipError)) throw error;
      findings.push(findingOfZip(error));
    }
  }
  if (checked.length < listing.entries.length) {
    findings.push({
      code: 'zip-unchecked',
      severity: 'info',
      message: `the headers of the first ${MAX_HEADERS} entries were compared with the directory, of ${listing.entries.length}`,
    });
  }
  return findings;
}

const advice: Partial<Record<ZipError['code'], string>> = {
  'zip-ambiguous':
    'Readers disagree on what such a file holds: each reading is shown. Get it from a source that you trust.',
  'zip-mismatch':
    'Readers disagree on what such a file holds. Get it from a source that you trust.',
};

function findingOfZip({ code, message }: ZipError): Finding {
  return {
    code,
    severity: 'error',
    message: plain(message),
    advice: advice[code] ?? 'The file is damaged or was made to mislead: get it again.',
  };
}

/** Entries that a reader may unpickle, or that hold a file that it may. */
export function suspects(listing: ZipListing): ZipEntry[] {
  return listing.entries.filter(({ name }) =>
    /\.(pkl|pickle|joblib|dill|pt|pth|ckpt|bin|npy)$/i.test(name),
  );
}

/** The content of an entry, and why it is not what the directory promises. */
export async function entryContent(
  listing: ZipListing,
  entry: ZipEntry,
  signal?: AbortSignal,
): Promise<{ bytes: Uint8Array | null; finding?: Finding }> {
  const told = (error: unknown, severity: Finding['severity']): Finding => {
    if (!(error instanceof ZipError)) throw error;
    return { ...findingOfZip(error), severity, where: plain(entry.name) };
  };
  if (Math.max(entry.size, entry.compressedSize) > MAX_ENTRY) {
    const message = `zip: entry ${entry.name} takes ${entry.size} bytes, the limit is ${MAX_ENTRY}`;
    return { bytes: null, finding: told(new ZipError('zip-size', message), 'error') };
  }
  try {
    return { bytes: await readEntry(listing, entry, signal) };
  } catch (refused) {
    const finding = told(refused, 'error');
    try {
      return { bytes: await rawEntry(listing, entry, MAX_ENTRY, signal), finding };
    } catch (error) {
      told(error, 'error');
      return { bytes: null, finding };
    }
  }
}

export function recordRow(entry: ZipEntry): RecordRow {
  const { method } = entry;
  return {
    name: plain(entry.name),
    offset: entry.headerOffset,
    size: entry.size,
    compressedSize: entry.compressedSize,
    method: method === STORED ? 'stored' : method === DEFLATED ? 'deflated' : `method ${method}`,
    crc32: entry.crc32.toString(16).padStart(8, '0'),
  };
}
