/**
 * `npm run names -- FOLDER`: models of several libraries, whose names are changed here as the Edit page
 * offers it, and which the other library then loads strictly. transformers, timm and torchvision are
 * those of the Python that WEIGHTROOM_PYTHON names; public repositories lie in FOLDER as `owner__name`.
 * Ends with 1 where one does not load, or gives other outputs.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseLiteral } from '#lib/architecture/literal.ts';
import type { Dict } from '#lib/checkpoint/value.ts';
import { applyEdits } from '#lib/edit/apply.ts';
import { namePresets } from '#lib/edit/presets.ts';
import { memorySink } from '#lib/file/sink.ts';
import { torch } from '#lib/formats/torch.read.ts';
import { open } from './parity/lab.ts';
import { runPython } from './python.ts';

/** What single-precision arithmetic may differ by over a whole model. */
const BOUND = 1e-5;

const python = process.env.WEIGHTROOM_PYTHON;
if (!python) {
  console.error('names: WEIGHTROOM_PYTHON names no Python with transformers and timm');
  process.exit(2);
}
const repositories = resolve(process.argv[2] ?? '.');
const folder = mkdtempSync(join(tmpdir(), 'weightroom-names-'));
async function judge<T>(what: string): Promise<T[]> {
  const args = [what, folder, repositories];
  const text = await runPython('tests/judge/names.py', args, { python });
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

interface Made {
  readonly model: string;
  readonly library: string;
  readonly file: string;
}
interface Checked {
  /** `ViT: timm → transformers` */
  readonly way: string;
  /** The library that loaded it. */
  readonly by: string;
  /** Null where it could not be loaded. */
  readonly error: number | null;
  readonly why?: string;
}

/** Writes the model under the names of every library that is offered; gives these ways. */
async function convert({ model, library, file }: Made): Promise<string[]> {
  const tree = await open(join(folder, file));
  const ways: string[] = [];
  for (const { title, edits } of namePresets(tree.root as Dict)) {
    const context = { others: new Map(), literal: parseLiteral };
    const { root, ok, steps } = applyEdits(tree, edits(null), context);
    const told = steps.flatMap(({ findings }) => findings.map(({ message }) => message));
    if (!ok || told.length > 0) throw new Error(`names: ${title}: ${told.join('; ')}`);
    const sink = memorySink();
    await torch.write!(root, sink, { stem: 'named', metadata: new Map() });
    const way = `${model}: ${library} → ${title.split(' → ')[1]}`;
    writeFileSync(join(folder, `${way}.pt`), sink.bytes());
    ways.push(way);
  }
  return ways;
}

let wrong = 0;
try {
  const offered = new Set<string>();
  for (const made of await judge<Made>('make')) {
    const ways = await convert(made);
    if (ways.length === 0) console.log(`      ${made.model}: ${made.library}: nothing is offered`);
    for (const way of ways) offered.add(way);
  }
  const checked = await judge<Checked>('check');
  for (const { way, by, error, why = '' } of checked) {
    const isGood = error !== null && error <= BOUND;
    if (!isGood) wrong++;
    const figures = error?.toExponential(1) ?? '-';
    console.log(
      `${isGood ? 'ok   ' : 'WRONG'} ${figures.padEnd(8)} ${way} (${by}) ${why}`.trimEnd(),
    );
  }
  for (const { way } of checked) offered.delete(way);
  for (const way of offered) console.log(`WRONG ${way}: no model that has these keys`);
  console.log(`${checked.length - wrong} of ${checked.length} right, ${offered.size} not checked`);
  wrong += offered.size;
} finally {
  rmSync(folder, { recursive: true });
}
process.exitCode = wrong > 0 ? 1 : 0;
