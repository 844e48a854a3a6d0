/**
 * `npm run programs [MODEL]`: has PyTorch 2.13 and 1.13 write models with their forward pass at their
 * true sizes, runs them in the lab, and prints how far the outputs are from PyTorch's.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareProgram, openProgram, ways, type Program } from './programs/compare.ts';
import { oldPython, python, runPython } from './python.ts';

/** What single-precision arithmetic may differ by over a whole model. */
const BOUND = 1e-4;

const [picked = ''] = process.argv.slice(2);
const column = (text: string, width: number) => text.padEnd(width);
console.log(
  'model         way                     PyTorch  keys   nodes  seconds  worst relative error',
);
const outcomes: boolean[] = [];
for (const interpreter of oldPython ? [python, oldPython] : [python]) {
  const folder = mkdtempSync(join(tmpdir(), 'weightroom-programs-'));
  try {
    const args = [folder, '--large', picked];
    await runPython('tests/fixtures/programs.py', args, { python: interpreter });
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
      const twin = JSON.parse(readFileSync(join(folder, file), 'utf8'));
      outcomes.push(await show({ ...twin, path: join(folder, twin.file) }));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
const good = outcomes.filter(Boolean).length;
console.log(`${good} of ${outcomes.length} with PyTorch's keys and outputs within ${BOUND}`);
process.exitCode = good === outcomes.length && good > 0 ? 0 : 1;

async function show(program: Program): Promise<boolean> {
  const { model, form, torch } = program;
  const head = `${column(model, 14)}${column(ways[form][1], 24)}${column(torch, 9)}`;
  const started = performance.now();
  try {
    const opened = await openProgram(program);
    const { keysEqual, graphNodes, error, spread } = await compareProgram(program, opened, 'cpu');
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(
      `${head}${column(keysEqual ? 'equal' : 'differ', 7)}${column(String(graphNodes), 7)}\
${column(seconds, 9)}${error.toExponential(1)}`,
    );
    return keysEqual && error <= BOUND && spread > 0;
  } catch (error) {
    console.log(`${head}${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}
