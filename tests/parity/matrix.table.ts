/**
 * Prints what the parity tests compared, when all of them are through (vitest's `globalSetup`): the
 * cells that `matrix.ts` had each test file keep.
 */
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** `read`: the lab's own reading. The others: what the lab wrote, and who read it back. */
export const columns = [
  'read',
  'zip 2.13',
  'mmap',
  'zip 1.13',
  'legacy 2.13',
  'legacy 1.13',
  'safetensors',
  'numpy',
  'shards',
] as const;
export type Column = (typeof columns)[number];

export interface Cell {
  readonly row: string;
  readonly column: Column;
  /** Tensors, or calls of the row's function, that were found equal. */
  equal: number;
  /** Files in which something differed. */
  differing: number;
}

/** Where the test files put their cells. */
export const matrixFolder = resolve(import.meta.dirname, '..', '.made', 'matrix');

export function setup(): void {
  rmSync(matrixFolder, { recursive: true, force: true });
}

export function teardown(): void {
  if (!existsSync(matrixFolder)) return;
  const files = readdirSync(matrixFolder).map((name) => join(matrixFolder, name));
  const cells = files.flatMap((file) => JSON.parse(readFileSync(file, 'utf8')) as Cell[]);
  console.log(`\n${table(cells)}\n`);
}

/** The rows in the order of their names, and a count. */
function table(cells: readonly Cell[]): string {
  const rows = Map.groupBy(cells, ({ row }) => row);
  const width = Math.max(...[...rows.keys()].map((row) => row.length));
  const line = (name: string, texts: readonly string[]) =>
    [name.padEnd(width), ...texts.map((text, at) => text.padStart(columns[at]!.length))].join('  ');
  const lines = [...rows.keys()].sort().map((row) => {
    const own = Map.groupBy(rows.get(row)!, ({ column }) => column);
    return line(
      row,
      columns.map((column) => shown(own.get(column) ?? [])),
    );
  });
  return [line('equal, bit for bit', columns), ...lines, count(cells, rows.size)].join('\n');
}

function shown(cells: readonly Cell[]): string {
  const { equal, differing } = total(cells);
  if (differing > 0) return `${differing} ≠`;
  return equal > 0 ? String(equal) : '·';
}

function total(cells: readonly Cell[]): { equal: number; differing: number } {
  return {
    equal: cells.reduce((sum, { equal }) => sum + equal, 0),
    differing: cells.reduce((sum, { differing }) => sum + differing, 0),
  };
}

function count(cells: readonly Cell[], rows: number): string {
  const { read = [], written = [] } = Object.groupBy(cells, ({ column }) =>
    column === 'read' ? 'read' : 'written',
  );
  return `${rows} rows: ${total(read).equal} read equal, ${total(written).equal} read back equal after writing, ${total(cells).differing} differing`;
}
