/**
 * `npm run families -- FOLDER [FILTER]`: models of the known families as their makers' code builds
 * them, recognised and compared with PyTorch. Public repositories lie in FOLDER as `owner__name`;
 * torchvision is Debian's; transformers and timm are those of the Python that WEIGHTROOM_PYTHON
 * names. Ends with 1 where a model is not recognised as it should be, its keys differ, or its
 * outputs do; models whose maker is missing are counted.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { FamilyCase, Maker } from './families/case.ts';
import { compareFamily, type FamilyOutcome } from './families/compare.ts';
import { familyCases } from './families/table.ts';
import { useBackend } from './parity/lab.ts';
import { oldPython, python } from './python.ts';
import { torchvisionRoot } from './sources/torchvision.ts';

/** What single-precision arithmetic may differ by over a whole model. */
const BOUND = 1e-4;

const [folder, filter = ''] = process.argv.slice(2);
if (!folder) {
  console.error('usage: npm run families -- FOLDER [FILTER]');
  process.exit(2);
}
const root = resolve(folder);
const other = process.env.WEIGHTROOM_PYTHON ?? null;
const has = (name: string) => other && spawnSync(other, ['-c', `import ${name}`]).status === 0;
const pythons: Record<Maker, string | null> = {
  torchvision: torchvisionRoot() ? oldPython : null,
  transformers: has('transformers') ? other : null,
  timm: has('timm') ? other : null,
  repository: python,
};

/** Whether the case did what it should. */
function isGood({ item, isRight, keysEqual, error, why }: FamilyOutcome): boolean {
  if (!isRight || why) return false;
  if (item.family === null) return true;
  return keysEqual === true && (item.shapes === true || (error !== null && error <= BOUND));
}

const columns = [14, 58, 14, 40, 6, 6, 9];
const row = (...cells: string[]) =>
  cells
    .map((cell, at) => cell.padEnd(columns[at] ?? 0))
    .join(' ')
    .trimEnd();

function line(outcome: FamilyOutcome): string {
  const { item, title, keys, keysEqual, error, why } = outcome;
  return row(
    item.family ?? '(none)',
    item.name,
    item.maker === 'repository' ? item.folder.replace('__', '/').split('/')[0]! : item.maker,
    title ?? 'not recognised',
    String(keys ?? '-'),
    keysEqual === null ? '-' : keysEqual ? 'yes' : 'NO',
    item.shapes ? 'shapes' : (error?.toExponential(1) ?? '-'),
    `${isGood(outcome) ? 'ok' : 'WRONG'}${why && ` ${why.slice(0, 300)}`}`,
  );
}

const isThere = ({ maker, folder: below }: FamilyCase) =>
  pythons[maker] !== null && (maker !== 'repository' || existsSync(join(root, below)));
const wanted = familyCases.filter(({ name, maker, family }) =>
  `${maker} ${family} ${name}`.toLowerCase().includes(filter.toLowerCase()),
);
const there = wanted.filter(isThere);

await useBackend('cpu');
console.log(row('family', 'model', 'maker', 'recognised as', 'keys', 'equal', 'error'));
const outcomes: FamilyOutcome[] = [];
for (const item of there) {
  const outcome = await compareFamily(
    item,
    item.maker === 'repository' ? root : null,
    pythons[item.maker]!,
  );
  outcomes.push(outcome);
  console.log(line(outcome));
}
const good = outcomes.filter(isGood).length;
console.log(
  `${outcomes.length} models: ${good} as they should be, ${outcomes.length - good} wrong, \
${wanted.length - there.length} not tried because their maker is missing`,
);
process.exitCode = good === outcomes.length ? 0 : 1;
