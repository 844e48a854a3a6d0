/**
 * The model of `torch.load(weights_only=True)` against PyTorch itself: every fixture, small pickles
 * for each opcode and each rule, and mutated checkpoints. Where the model gives an answer, it is
 * PyTorch's; where it gives none, its reason must be one of those below.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { bytesSource } from '#lib/file/source.ts';
import { judgeFile } from '#lib/formats/weights_only.file.ts';
import { guardedAttributes } from '#lib/formats/weights_only.tensors.ts';
import { scan } from '#lib/inspect/safety/scan.ts';
import { opcodeEdits } from '../fuzz/edits.ts';
import { carryOut, plans, type Plan } from '../fuzz/plans.ts';
import { allSeeds } from '../fuzz/seeds.ts';
import { fixturesOf, newFixtures, oldFixtures } from '../fixtures/made.ts';
import { oldPython, runPython } from '../python.ts';

const MUTATED = 2000;
/** Fixed, so that a run that fails can be repeated. */
const SEED = 20_250_102;

/**
 * Where the model gives no answer, by its reason, and why not. torch.save writes none of this; the
 * lab's verdict is then "refused", whatever PyTorch does.
 */
const unknowns: readonly [RegExp, string][] = [
  [/^its zip |^several records/, 'a damaged zip: readers disagree on what is in it'],
  [
    /^what (a call|an instance) of torch\.(Tensor|storage|(cuda\.|sparse\.)?FloatTensor)/,
    "classes' constructors allocate what they are told, and depend on the devices that there are",
  ],
  [/^what .*_rebuild_(wrapper_subclass|nested_tensor)/, 'its subclasses are refused by name'],
  [/^what _rebuild_from_type_v2 gives/, 'only tensors come from it in files that torch.save wrote'],
  [/^the state of a (Tensor|storage|torch\.Size|set|Counter)$/, 'BUILD that changes these objects'],
  [/^the (strides|dtype) of a meta tensor/, 'dtypes and strides of a meta tensor that has no use'],
  [/^the (scales?|axis) of a tensor|^the dtype of scales|^a quantized tensor/, 'odd quantizers'],
  [/^the parts of a sparse tensor|sparse tensor whose parts do not fit/, 'sparse tensors that lie'],
  [/^the metadata /, 'numbers where torch.save writes True or False'],
  [/^a name for requires_grad/, "PyTorch's argument parser takes some classes for True"],
  [/^the items of a torch\.Size/, 'ints beyond 64 bits, some of which PyTorch takes'],
  [
    /^a complex number|^what the encoding|^a bytearray of/,
    'Python values that no checkpoint makes',
  ],
  [/^which device/, 'depends on the devices that there are'],
  [/^a storage whose key|^a storage's class|^what a storage gives/, 'storages as no file has them'],
];

const folder = mkdtempSync(join(tmpdir(), 'weightroom-weights-only-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Case {
  readonly name: string;
  readonly path: string;
}

/** What PyTorch says of files that it was asked about before. */
const asked = new Map<string, string | null>();

/** PyTorch's errors, null where it takes the file. */
async function askPyTorch(cases: readonly Case[]): Promise<(string | null)[]> {
  const open = cases.filter(({ path }) => !asked.has(path)).map(({ path }) => path);
  const input = open.join('\n');
  const lines = await runPython('tests/judge/weights_only.py', [], { input });
  for (const [index, line] of lines.trim().split('\n').entries()) {
    if (line) asked.set(open[index]!, JSON.parse(line) as string | null);
  }
  return cases.map(({ path }) => asked.get(path)!);
}

/** Asks both, prints a table of the answers, and gives the cases in which they differ. */
async function compare(title: string, cases: readonly Case[]): Promise<string[]> {
  const errors = await askPyTorch(cases);
  const counts = new Map<string, number>();
  const differing: string[] = [];
  for (const [index, { name, path }] of cases.entries()) {
    const error = errors[index] ?? null;
    const { verdict, reason } = await judgeFile(bytesSource(readFileSync(path), name));
    const row = `the lab: ${verdict}, PyTorch: ${error === null ? 'loads' : 'refused'}`;
    counts.set(row, (counts.get(row) ?? 0) + 1);
    const isKnown =
      verdict === 'unknown'
        ? unknowns.some(([pattern]) => pattern.test(reason!.message))
        : (verdict === 'loads') === (error === null);
    if (!isKnown) differing.push(`${name}: ${verdict}, ${reason?.message}; PyTorch: ${error}`);
  }
  const table = [...counts].sort().map(([row, count]) => `${String(count).padStart(6)}  ${row}`);
  console.log(
    `${title}: ${cases.length} files, ${differing.length} disagreements\n${table.join('\n')}`,
  );
  return differing;
}

async function fixtureCases(): Promise<readonly Case[]> {
  const old = { interpreter: oldPython!, age: 'old' };
  const parts = ['tests/judge/describe.py'];
  const fixtures = [
    ...(await newFixtures()),
    ...(await oldFixtures()),
    ...(await fixturesOf<Case>('tests/fixtures/containers.py', { parts })),
    ...(oldPython ? await fixturesOf<Case>('tests/fixtures/containers.py', { parts, ...old }) : []),
  ];
  return fixtures.filter(({ path }) => !/\.(safetensors|npz)$/.test(path));
}

it('agrees on every fixture', async () => {
  expect(await compare('fixtures', await fixtureCases())).toEqual([]);
});

/** Kinds of tensors that the model does not decide on, though PyTorch takes them. */
const rare = /packed_quantized$|^nested_tensor$/;

it('calls no fixture safe that PyTorch refuses', async () => {
  const cases = await fixtureCases();
  const errors = await askPyTorch(cases);
  const told: string[] = [];
  for (const [index, { name, path }] of cases.entries()) {
    const { report } = await scan(bytesSource(readFileSync(path), name));
    const isGreen =
      report.verdict === 'loads' && report.findings.every(({ severity }) => severity !== 'error');
    if (rare.test(name)) expect(report.summary).toContain('Count it as refused');
    else if (isGreen !== (errors[index] === null)) told.push(`${name}: ${report.summary}`);
  }
  expect(told).toEqual([]);
});

it('agrees on files that others wrote, where they are', async () => {
  const corpus = resolve(process.env['WEIGHTROOM_CORPUS'] ?? '../shared/corpus');
  const files = existsSync(corpus) ? readdirSync(corpus, { recursive: true }) : [];
  const names = files.map(String).filter((name) => /\.(pth?|bin|ckpt)$/.test(name));
  const cases = names.map((name) => ({ name, path: join(corpus, name) }));
  expect(cases.length > 0 ? await compare('files of others', cases) : []).toEqual([]);
});

it('knows which attributes of a tensor are more than attributes', async () => {
  const names = JSON.parse(await runPython('tests/judge/tensor_attributes.py')) as string[];
  expect([...guardedAttributes].sort()).toEqual(names);
});

it('agrees on each opcode and each rule', async () => {
  expect(
    await compare('small pickles', await fixturesOf<Case>('tests/fixtures/pickles.py')),
  ).toEqual([]);
});

/** Writes what plans make of checkpoints that PyTorch reads. */
async function carriedOut(title: string, made: readonly Plan[]): Promise<Case[]> {
  const seeds = (await allSeeds()).flat().filter(({ name }) => /\.(pt|pth|ckpt|bin)$/.test(name));
  return made.map((plan, index) => {
    const { name, files } = carryOut({ ...plan, group: 0, file: 0 }, [seeds]);
    const path = join(folder, `${title}${index}.pt`);
    writeFileSync(path, files[0]!.bytes);
    return { name: `${index} of ${name}`, path };
  });
}

it(`agrees on ${MUTATED} mutated checkpoints`, async () => {
  // Most of what is edited more often is refused for its first edit.
  const edits = opcodeEdits.map((all) => all.slice(0, 2));
  const change = fc.record({ in: fc.constant('pickle' as const), member: fc.nat(1000), edits });
  const made = fc.sample(plans, { seed: SEED, numRuns: MUTATED });
  const changes = fc.sample(change, { seed: SEED, numRuns: MUTATED });
  const cases = await carriedOut(
    'pickle',
    made.map((plan, index) => ({ ...plan, change: changes[index]! })),
  );
  expect(await compare('mutated', cases)).toEqual([]);
});

it('agrees on hostile containers, and on damaged ones', async () => {
  const parts = ['tests/fixtures/hostile.py'];
  const hostile = await fixturesOf<Case>('tests/fixtures/hostile_rows.py', { parts });
  const made = fc
    .sample(plans, { seed: SEED, numRuns: 2 * MUTATED })
    .filter(({ change }) => !['pickle', 'json'].includes(change.in));
  const cases = [
    ...hostile.filter(({ path }) => /\.(pt|pkl)$/.test(path)),
    ...(await carriedOut('container', made.slice(0, MUTATED / 2))),
  ];
  expect(await compare('containers', cases)).toEqual([]);
});
