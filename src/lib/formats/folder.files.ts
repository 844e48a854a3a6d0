/** What the readers of folders share: files by path, words for lists. */
import type { CallRecord, Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import type { Finding } from '#lib/checkpoint/finding.ts';
import type { Source } from '#lib/file/source.ts';

export interface FolderFile {
  /** Relative to the folder, with slashes. */
  readonly path: string;
  readonly source: Source;
}

/** The files of one directory and below it, by the path from there. */
export type Files = ReadonlyMap<string, Source>;

/** Names that a message lists. */
const MAX_LISTED = 8;

/** `a, b and 3 more` */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, MAX_LISTED).join(', ');
  return names.length > MAX_LISTED ? `${shown} and ${names.length - MAX_LISTED} more` : shown;
}

/**
 * Whether a path that a file names stays below the file's own directory. Such a path is looked up
 * among the files of the folder alone; one that climbs says that the file means something else.
 */
export function isInside(path: string): boolean {
  return path !== '' && !/[\\\0]|^[/~]|^[a-zA-Z]:/.test(path) && !path.split('/').includes('..');
}

/** The findings and calls of several parts; what two parts say alike is said once. */
export function mergedReport(parts: readonly Pick<Checkpoint, 'findings' | 'calls'>[]): {
  findings: Finding[];
  calls: CallRecord[];
} {
  const findings = new Map<string, Finding>();
  const calls = new Map<string, CallRecord>();
  for (const part of parts) {
    for (const finding of part.findings) findings.set(finding.code + finding.message, finding);
    for (const call of part.calls) {
      const count = (calls.get(call.name)?.count ?? 0) + call.count;
      calls.set(call.name, { ...call, count });
    }
  }
  return { findings: [...findings.values()], calls: [...calls.values()] };
}
