/**
 * What the tests compare bit for bit, as a table: a row for each dtype and each function that rebuilds
 * tensors, apart by the kind of file that they came in; a column for each way of reading them. A
 * test file keeps the cells that its comparisons give; `matrix.table.ts` prints those of all files.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll } from 'vitest';
import type { CallRecord } from '#lib/checkpoint/checkpoint.ts';
import type { Description } from '../fixtures/describe.ts';
import type { Fixture } from '../fixtures/made.ts';
import { matrixFolder, type Cell, type Column } from './matrix.table.ts';

/** What a file holds: how many tensors of each dtype, how many calls of each function. */
export type Contents = ReadonlyMap<string, number>;

const cells = new Map<string, Cell>();

/** Has the cells of this test file kept when it ends. `url` is its `import.meta.url`. */
export function keepMatrix(url: string): void {
  afterAll(() => {
    mkdirSync(matrixFolder, { recursive: true });
    const file = join(matrixFolder, `${basename(url, '.test.ts')}.json`);
    writeFileSync(file, JSON.stringify([...cells.values()]));
  });
}

/** Runs a comparison, which throws where something differs, and notes how it ended. */
export async function compared(
  origin: string,
  contents: Contents,
  column: Column,
  compare: () => unknown,
): Promise<void> {
  let isEqual = false;
  try {
    await compare();
    isEqual = true;
  } finally {
    for (const [what, count] of contents) note(`${origin}: ${what}`, column, isEqual, count);
  }
}

function note(row: string, column: Column, isEqual: boolean, count: number): void {
  const key = `${row} ${column}`;
  const cell = cells.get(key) ?? { row, column, equal: 0, differing: 0 };
  if (isEqual) cell.equal += count;
  else cell.differing += 1;
  cells.set(key, cell);
}

/** The functions that a pickle calls to make tensors, by what they are called in PyTorch and NumPy. */
const rebuilding = /\._rebuild\w*$|\.(_reconstruct|_frombuffer|scalar)$/;

/** What is in a description of `tests/judge/describe.py`, and in the calls of its pickle. */
export function contentsOf(root: Description, calls: readonly CallRecord[] = []): Contents {
  const contents = new Map<string, number>();
  const add = (what: string, count = 1) => contents.set(what, (contents.get(what) ?? 0) + count);
  const rest: unknown[] = [root];
  while (rest.length > 0) {
    const value = rest.pop();
    if (typeof value !== 'object' || value === null) continue;
    const { tensor, sparse } = value as { tensor?: { dtype: string }; sparse?: { layout: string } };
    if (tensor) add(tensor.dtype);
    if (sparse) add(sparse.layout);
    rest.push(...Object.values(value));
  }
  for (const { name, count } of calls) {
    if (rebuilding.test(name)) add(`${name.split('.').at(-1)}()`, count);
  }
  return contents;
}

/** What kind of file it is, and who wrote it. */
export function originOf({ format, torch, name }: Fixture): string {
  if (format !== 'torch') return format;
  const [version] = /^\d+\.\d+/.exec(torch)!;
  return `torch ${version} ${name.startsWith('legacy_') ? 'legacy' : 'zip'}`;
}
