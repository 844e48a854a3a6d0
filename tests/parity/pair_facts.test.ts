/** What tensors of equal numbers differ in: quantization, requires_grad, memory format, ties. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Lab } from '#lib/worker/lab.ts';
import type { Fact } from '#lib/worker/protocol.ts';
import { runPython } from '../python.ts';
import { unwrap } from './lab.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightroom-facts-'));
afterAll(() => rmSync(folder, { recursive: true }));
await runPython('tests/judge/pair_facts.py', [folder]);
const text = readFileSync(join(folder, 'expected.json'), 'utf8');
const expected = JSON.parse(text) as Record<string, Fact[]>;

it('are the facts that PyTorch tells', async () => {
  const lab = new Lab();
  const context = { signal: new AbortController().signal, progress: () => {} };
  const file = (name: string) => new File([readFileSync(join(folder, name))], name);
  unwrap(await lab.handlers.open({ file: file('a.pt') }, context));
  const { beside } = unwrap(await lab.handlers.openBeside({ file: file('b.pt') }, context));
  const [a, b] = [null, beside.id].map((checkpoint) => ({ checkpoint, stateDict: 0 }));
  const args = { a: a!, b: b!, rules: null, chosen: [] };
  const { paired } = unwrap(await lab.handlers.pairTensors(args, context));
  const found = paired.rows.map((row) => [row.a!.name, row.facts ?? []]);
  expect(Object.fromEntries(found)).toEqual(expected);
  expect(expected['same']).toEqual([]);
  expect(expected['scaled']).toHaveLength(1);
});
