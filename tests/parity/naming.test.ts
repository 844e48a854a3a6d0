/** Names of one model as training scripts keep it: they pair by themselves, or a person is asked. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Lab } from '#lib/worker/lab.ts';
import type { CompareArgs } from '#lib/worker/protocol.ts';
import { runPython } from '../python.ts';
import { unwrap } from './lab.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightroom-naming-'));
afterAll(() => rmSync(folder, { recursive: true }));
await runPython('tests/judge/naming.py', [folder]);
const context = { signal: new AbortController().signal, progress: () => {} };
const file = (name: string) => new File([readFileSync(join(folder, name))], name);

async function opened(a: string, b: string): Promise<{ lab: Lab; args: CompareArgs }> {
  const lab = new Lab();
  unwrap(await lab.handlers.open({ file: file(a) }, context));
  const { beside } = unwrap(await lab.handlers.openBeside({ file: file(b) }, context));
  const one = { checkpoint: null, stateDict: 0 };
  const other = { checkpoint: beside.id, stateDict: 0 };
  return { lab, args: { a: one, b: other, rules: null, chosen: [] } };
}

const wrapped = [
  ...['nested', 'ddp', 'compiled', 'ddp_compiled', 'with_ema', 'lightning', 'averaged'],
  'part_compiled',
];

it.each(wrapped)('%s pairs with the bare model, whichever comes first', async (name) => {
  const files = ['bare.safetensors', `${name}.pt`] as const;
  for (const [one, other] of [files, files.toReversed()]) {
    const { lab, args } = await opened(one!, other!);
    const { paired } = unwrap(await lab.handlers.pairTensors(args, context));
    const pairs = paired.rows.filter(({ a, b }) => a && b);
    expect(pairs).toHaveLength(9 + 2);
    for (const { a, b } of pairs) {
      const bare = [a!.name, b!.name].map((it) =>
        it.replace(/^model\./, '').replace(/(module|_orig_mod)\./g, ''),
      );
      expect(bare[0]).toBe(bare[1]);
    }
    // AveragedModel counts what it has averaged.
    const alone = paired.rows.filter(({ a, b }) => !a || !b).map(({ a, b }) => (a ?? b)!.name);
    expect(alone).toEqual(name === 'averaged' ? ['n_averaged'] : []);
    expect(paired.choices).toEqual([]);
  }
});

it('asks which of two models in one state_dict is meant', async () => {
  const { lab, args } = await opened('bare.safetensors', 'two.pt');
  const { paired } = unwrap(await lab.handlers.pairTensors(args, context));
  expect(paired.rules).toEqual([]);
  const rules = ['student.', 'teacher.'].map((prefix) => [{ kind: 'strip', prefix } as const]);
  expect(paired.choices).toEqual(rules);
  const chosen = { ...args, rules: rules[1]! };
  const { rows } = unwrap(await lab.handlers.pairTensors(chosen, context)).paired;
  const pairs = rows.filter(({ a, b }) => a && b);
  expect(pairs).toHaveLength(11);
  expect(pairs.every(({ a, b }) => b!.name === `teacher.${a!.name}`)).toBe(true);
});

it('finds 1,000 pairs under other names by their values, in seconds', async () => {
  const { lab, args } = await opened('blocks_a.pt', 'blocks_b.pt');
  const { rows } = unwrap(await lab.handlers.pairTensors(args, context)).paired;
  const names = { a: new Map<number, string>(), b: new Map<number, string>() };
  for (const { a, b } of rows) {
    if (a) names.a.set(a.place, a.name);
    if (b) names.b.set(b.place, b.name);
  }
  const started = performance.now();
  const { suggestions } = unwrap(await lab.handlers.suggestPairs(args, context));
  const seconds = (performance.now() - started) / 1000;
  const blockOf = (name: string) => /\.(\d+)\./.exec(name)![1];
  const partOf: readonly [RegExp, RegExp][] = [
    [/query/, /attn\.q\./],
    [/key/, /attn\.k\./],
    [/value/, /attn\.v\./],
    [/attention\.output/, /proj/],
    [/before\.weight/, /norm1\.weight/],
    [/before\.bias/, /norm1\.bias/],
    [/intermediate/, /fc1/],
    [/\d\.output/, /fc2/],
  ];
  expect(suggestions).toHaveLength(1000);
  for (const { pair, why } of suggestions) {
    const [a, b] = [names.a.get(pair[0])!, names.b.get(pair[1])!];
    expect(why).toBe('alike');
    expect(blockOf(b)).toBe(blockOf(a));
    expect(partOf.find(([long]) => long.test(a))![1].test(b), `${a} = ${b}`).toBe(true);
  }
  expect(seconds).toBeLessThan(30);
});
