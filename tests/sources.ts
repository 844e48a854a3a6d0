/**
 * `npm run sources -- FOLDER [FILTER]`: reads models of public repositories, which lie in FOLDER as
 * `owner__name`, and of the installed torchvision, and compares them with PyTorch. FOLDER may hold a
 * `sources.json`, a list of further cases. Cases with trained weights run where WEIGHTROOM_CORPUS
 * names a folder with their file. Nothing of these sources is part of this project.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { oldPython, python } from './python.ts';
import type { SourceCase } from './sources/case.ts';
import { compareSources, head, line, type Outcome } from './sources/compare.ts';
import { corpusFile } from './sources/outputs.ts';
import { publicCases, torchvisionCases } from './sources/table.ts';
import { torchvisionRoot } from './sources/torchvision.ts';

/** What single-precision arithmetic may differ by over a whole model. */
const BOUND = 1e-4;

const [folder, filter = ''] = process.argv.slice(2);
if (!folder) {
  console.error('usage: npm run sources -- FOLDER [FILTER]');
  process.exit(2);
}
const root = resolve(folder);
const own = join(root, 'sources.json');
const listed: readonly SourceCase[] = existsSync(own)
  ? (JSON.parse(readFileSync(own, 'utf8')) as SourceCase[])
  : [];
const wanted = ({ name }: SourceCase) => name.toLowerCase().includes(filter.toLowerCase());
const there = [...listed, ...publicCases].filter(
  ({ folder: source, weights }) =>
    existsSync(join(root, source)) && (!weights || existsSync(corpusFile(weights))),
);
const installed = torchvisionRoot();

console.log(head);
const show = (outcome: Outcome) => console.log(line(outcome));
const outcomes = await compareSources(root, there.filter(wanted), python, show);
if (installed && oldPython) {
  const cases = torchvisionCases.filter(wanted);
  outcomes.push(...(await compareSources(installed, cases, oldPython, show)));
}
const count = (test: (outcome: Outcome) => boolean) => outcomes.filter(test).length;
console.log(
  `${outcomes.length} models: ${count((it) => it.instantiated)} made, \
${count((it) => it.keysEqual === true)} with PyTorch's keys, ${count((it) => it.traced === true)} traced, \
${count((it) => it.error !== null && it.error <= BOUND)} with outputs within ${BOUND}, \
${count((it) => it.refused)} that PyTorch refuses too`,
);
