/**
 * Small programs drawn at random, run by PyTorch and by the lab: combinations of functions, shapes
 * and arguments that nobody thought of. `WEIGHTROOM_PROGRAMS=SEED,COUNT` draws others. The lab may
 * refuse a program in words of its own, which are counted; what it runs has to have PyTorch's
 * numbers and gradients.
 */
import { expect, it } from 'vitest';
import { readSource } from '#lib/architecture/source.ts';
import { runPython } from '../../python.ts';
import { compareOps } from './compare.ts';
import { sourceOf, specOf, type Row } from './rows.ts';

const [seed = '1', count = '120'] = process.env.WEIGHTROOM_PROGRAMS?.split(',') ?? [];

const drawn = JSON.parse(await runPython('tests/judge/programs.py', [seed, count])) as Row[];
const refusals = new Map<string, number>();

/** Whether the lab takes a program; why not is kept. */
function isTaken(row: Row): boolean {
  const read = readSource([{ name: 'case.py', text: sourceOf([row]) }]);
  const built = read.ok ? read.source.build('Case0') : read;
  const traced = built.ok
    ? built.module.trace(Object.values(row.inputs).map(specOf), { training: false })
    : built;
  if (traced.ok) return true;
  const { message } = traced.findings[0]!;
  const reason = message.replace(/^.*line \d+: /, '').replace(/\[[^\]]*\]/g, '[…]');
  refusals.set(reason, (refusals.get(reason) ?? 0) + 1);
  return false;
}

const taken = drawn.filter(isTaken);
const listed = [...refusals].sort(([, a], [, b]) => b - a);
console.log(
  [
    `${drawn.length} programs from seed ${seed}: ${taken.length} taken, the others refused:`,
    ...listed.map(([reason, times]) => `${times} x ${reason}`),
  ].join('\n  '),
);

it('takes most programs, and refuses the others in its own words', () => {
  expect(taken.length).toBeGreaterThan(0.9 * drawn.length);
  const ofEngine = listed.filter(([reason]) => /undefined|Cannot |not a function/.test(reason));
  expect(ofEngine).toEqual([]);
});

compareOps(null, null, taken);
