/** Edits, judged by PyTorch: the same done in Python gives the same contents. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { parseLiteral } from '#lib/architecture/literal.ts';
import { applyEdits } from '#lib/edit/apply.ts';
import { memorySink } from '#lib/file/sink.ts';
import { torch } from '#lib/formats/torch.read.ts';
import { runPython } from '../python.ts';
import { cases, kinds, others, ways } from './edits.cases.ts';
import { open } from './lab.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightroom-edits-'));
afterAll(() => rmSync(folder, { recursive: true }));

const judge = (what: string) => runPython('tests/judge/edits.py', [what, folder]);
const made = JSON.parse(await judge('make')) as string[];
const opened = await Promise.all(others.map((name) => open(join(folder, name))));
const context = { others: new Map(opened.entries()), literal: parseLiteral };
const problems = new Map<string, string[]>();
for (const [name, [file, ...edits]] of Object.entries(cases)) {
  const edited = applyEdits(await open(join(folder, `${file}.pt`)), edits, context);
  const found = edited.steps.flatMap(({ findings }) => findings);
  const errors = found.filter(({ severity }) => severity === 'error');
  problems.set(
    name,
    errors.map(({ message }) => message),
  );
  const sink = memorySink();
  await torch.write!(edited.root, sink, { stem: 'edited', metadata: new Map() });
  writeFileSync(join(folder, `${name}.got.pt`), sink.bytes());
}
const lines = (await judge('compare')).trim().split('\n');
const judged = lines.map((line) => JSON.parse(line) as { name: string; difference: unknown });

it.each(judged)('$name is what Python makes of it', ({ name, difference }) => {
  expect(problems.get(name)).toEqual([]);
  expect(difference).toBeNull();
});

it('is every edit', () => {
  expect(judged.map(({ name }) => name).toSorted()).toEqual(Object.keys(cases).toSorted());
  expect(made.toSorted()).toEqual(Object.keys(cases).toSorted());
});

it('is every kind of edit, and every way to merge', () => {
  const edits = Object.values(cases).flatMap(([, ...edits]) => edits);
  const merges = edits.filter((edit) => edit.kind === 'merge');
  const sorted = (names: readonly string[]) => [...new Set(names)].toSorted();
  expect(sorted(edits.map(({ kind }) => kind))).toEqual(sorted(Object.keys(kinds)));
  expect(sorted(merges.map(({ how }) => how.kind))).toEqual(sorted(Object.keys(ways)));
});
