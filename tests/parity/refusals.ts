/** Holds what the lab refuses against what the format's own library refuses. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Refusal } from '../fixtures/refusal.ts';
import { runPython } from '../python.ts';

/**
 * Writes the files into a folder and has the library read them. It must read those that the lab is
 * said to be stricter with, and refuse the others. Prints a table of all verdicts.
 */
export async function compareRefusals(
  format: string,
  refusals: readonly Refusal[],
  folder: string,
): Promise<void> {
  const paths = refusals.map(({ bytes }, index) => {
    const path = join(folder, `refused${index}.${format}`);
    writeFileSync(path, bytes);
    return path;
  });
  const lines = (await runPython('tests/judge/refuse.py', paths)).trim().split('\n');
  const verdicts = lines.map((line) => JSON.parse(line) as string | null);
  const rows = refusals.map(({ code, what, stricter }, index) => {
    const verdict = verdicts[index] ?? `reads it; stricter: ${stricter ?? 'WHY?'}`;
    const [line = ''] = verdict.split('\n');
    return `${`${format}-${code}`.padEnd(26)} ${what.padEnd(36)} ${line.slice(0, 70)}`;
  });
  const both = verdicts.filter((verdict) => verdict !== null).length;
  console.log(
    `${rows.join('\n')}\n${rows.length} files refused by the lab, ${both} by the format's own library too`,
  );
  const differing = refusals.filter(
    ({ stricter }, index) => (verdicts[index] === null) !== (stricter !== undefined),
  );
  expect(differing.map(({ code, what }) => `${code}: ${what}`)).toEqual([]);
}
