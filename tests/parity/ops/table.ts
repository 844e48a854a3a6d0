/**
 * Prints what the rows of ops gave, when all families are through (vitest's `globalSetup`): one line
 * for each op and backend with its number of rows and its worst errors, and a count.
 */
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

export interface Figure {
  family: string;
  backend: string;
  code: string;
  ops: string[];
  /** Largest relative error of an output, and of a gradient; null where there is none. */
  output: number;
  gradient: number | null;
}

/** Where the test files put their figures. */
export const opsFolder = resolve(import.meta.dirname, '..', '..', '.made', 'ops');

export function setup(): void {
  rmSync(opsFolder, { recursive: true, force: true });
}

export function teardown(): void {
  if (!existsSync(opsFolder)) return;
  const figures = readdirSync(opsFolder).flatMap(
    (name) => JSON.parse(readFileSync(join(opsFolder, name), 'utf8')) as Figure[],
  );
  if (figures.length > 0) console.log(`\n${table(figures)}\n`);
}

const plumbing = new Set(['input', 'parameter', 'constant', 'pick']);

function table(figures: readonly Figure[]): string {
  const names = [...new Set(figures.flatMap(({ ops }) => ops))].filter((op) => !plumbing.has(op));
  const lines = names.sort().map((op) => {
    const cells = ['cpu', 'webgpu'].map((backend) => {
      const own = figures.filter((figure) => figure.backend === backend && figure.ops.includes(op));
      return `${String(own.length).padStart(4)} rows  ${worstOf(own, 'output')}  ${worstOf(own, 'gradient')}`;
    });
    return `${op.padEnd(32)} ${cells.join('   ')}`;
  });
  const head = `${'op'.padEnd(32)} cpu: rows, worst output, worst gradient   webgpu: the same`;
  return [head, ...lines, count(figures, names.length)].join('\n');
}

function worstOf(figures: readonly Figure[], which: 'output' | 'gradient'): string {
  const errors = figures.map((figure) => figure[which]).filter((error) => error !== null);
  return errors.length === 0
    ? '      –'
    : Math.max(...errors)
        .toExponential(1)
        .padStart(7);
}

function count(figures: readonly Figure[], ops: number): string {
  const compared = figures.reduce((sum, { gradient }) => sum + (gradient === null ? 1 : 2), 0);
  const worst = (backend: string) => {
    const own = figures.filter((figure) => figure.backend === backend);
    const sorted = own.toSorted((a, b) => errorOf(b) - errorOf(a));
    return sorted[0]
      ? `${backend} ${errorOf(sorted[0]).toExponential(1)} (${sorted[0].code.trim()})`
      : '';
  };
  return `${ops} ops, ${figures.length} rows × backends, ${compared} passes compared; worst: ${worst('cpu')}, ${worst('webgpu')}`;
}

function errorOf({ output, gradient }: Figure): number {
  return Math.max(output, gradient ?? 0);
}
