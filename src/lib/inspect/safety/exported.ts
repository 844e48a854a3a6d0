/**
 * What torch.export.load unpickles of a .pt2 archive beside its files of torch.save: the records that
 * the archive's lists of weights and constants call pickled, which have no ending that tells.
 */
import { findingOf, type Finding } from '#lib/checkpoint/finding.ts';
import type { ZipListing } from '#lib/file/zip.directory.ts';
import type { ZipEntry } from '#lib/file/zip.ts';
import { parsePayloads } from '#lib/formats/pt2.payloads.ts';
import { entryContent } from './zips.ts';

const LIST = /^(.*data\/(?:weights|constants)\/)[^/]+_(?:weights|constants)_config\.json$/;
/** Files of torch.save in the first layout, by the names that its first versions gave them. */
const FIRST = /^serialized_(?:state_dict|constants)\.json$/;

/** Whether an archive is one of torch.export, in any of its layouts. */
export function isExported({ entries }: ZipListing): boolean {
  return entries.some(({ name }) =>
    /^[^/]+\/archive_format$|^serialized_exported_program\.json$/.test(name),
  );
}

/** The records that are pickled, and why a list cannot be read. */
export async function pickledRecords(
  listing: ZipListing,
  signal?: AbortSignal,
): Promise<{ entries: ZipEntry[]; findings: Finding[] }> {
  const named = new Set<string>();
  const findings: Finding[] = [];
  for (const entry of listing.entries) {
    const [, folder] = LIST.exec(entry.name) ?? [];
    if (folder === undefined) continue;
    const { bytes, finding } = await entryContent(listing, entry, signal);
    if (finding) findings.push(finding);
    try {
      const payloads = parsePayloads(bytes ?? new Uint8Array(), entry.name);
      for (const { path, isPickled } of payloads.values()) if (isPickled) named.add(folder + path);
    } catch (error) {
      findings.push(findingOf(error));
    }
  }
  return {
    entries: listing.entries.filter(({ name }) => named.has(name) || FIRST.test(name)),
    findings,
  };
}
