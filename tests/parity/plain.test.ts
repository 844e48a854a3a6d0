/**
 * Files that `weights_only` refuses, rewritten by the lab: PyTorch takes what is written with
 * `weights_only=True`, and finds in it the tensors and plain values that a trusting load finds in
 * the original.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe as group, expect, it } from 'vitest';
import { allowedNames } from '#lib/formats/torch.names.ts';
import { Lab } from '#lib/worker/lab.ts';
import type { SaveChoice } from '#lib/worker/protocol.ts';
import type { Description } from '../fixtures/describe.ts';
import { fixturesOf, newFixtures, oldFixtures } from '../fixtures/made.ts';
import { oldPython, runPython } from '../python.ts';
import { unwrap } from './lab.ts';

interface Twin {
  readonly name: string;
  readonly path: string;
  readonly torch: string;
  readonly kind?: string;
  readonly format?: string;
  readonly weights_only?: boolean;
  /** What a trusting load gives. */
  readonly root?: Description;
  readonly state?: Description;
  readonly hostile?: string;
}

const folder = mkdtempSync(join(tmpdir(), 'weightroom-plain-'));
afterAll(() => rmSync(folder, { recursive: true }));

const script = 'tests/fixtures/containers.py';
const parts = ['tests/judge/describe.py'];
const twins: Twin[] = [
  ...(await newFixtures()),
  ...(await oldFixtures()),
  ...(await fixturesOf<Twin>(script, { parts })),
  ...(oldPython
    ? await fixturesOf<Twin>(script, { parts, interpreter: oldPython, age: 'old' })
    : []),
];
const input = twins.map(({ path }) => path).join('\n');
const answers = await runPython('tests/judge/weights_only.py', [], { input });
const verdicts = answers.trim().split('\n');
const refused = twins.filter(({ format, root, kind }, index) => {
  const isWhole = format === 'torch' ? root !== undefined : /^(module|script|tar)$/.test(kind!);
  return isWhole && verdicts[index] !== 'null';
});
const harmful = twins.filter(({ name }) => name.startsWith('hostile_os_system'));

/** Has the lab write the plain values of a file; null where it does not offer that. */
async function rewritten({ path }: Twin): Promise<{ path: string; choice: SaveChoice } | null> {
  const lab = new Lab();
  const context = { signal: new AbortController().signal, progress: () => {} };
  const file = new File([readFileSync(path)], basename(path));
  unwrap(await lab.handlers.open({ file }, context));
  const choices = (await lab.handlers.saves({}, context)) as SaveChoice[];
  const choice = choices.find(({ id }) => id === 'opened-plain-pt');
  if (!choice) return null;
  const { saved } = unwrap(await lab.handlers.save({ choice: choice.id }, context));
  const written = join(mkdtempSync(join(folder, 'one-')), saved.name);
  writeFileSync(written, new Uint8Array(await saved.file!.arrayBuffer()));
  return { path: written, choice };
}

const LEFT = { left: true };
/** Calls that weights_only makes, and the lab keeps as they are. */
const plainCalls = new Set(['torch.device', 'torch.serialization._get_layout']);
/** Digits of the longest int that weights_only reads, with its sign. */
const LONGEST_INT = 615;

/** A description without what cannot be plain, and without the numbers of storages and containers. */
function pruned(described: unknown): unknown {
  if (Array.isArray(described)) return described.map(pruned);
  if (typeof described !== 'object' || described === null) return described;
  const it = described as Description;
  if (it['call']) {
    const call = it['call'] as { callable: { global?: string[] } };
    return plainCalls.has(call.callable.global?.join('.') ?? '') ? it : LEFT;
  }
  if (typeof it['int'] === 'string' && it['int'].length > LONGEST_INT) return LEFT;
  if (it['global']) {
    const name = (it['global'] as string[]).join('.');
    return allowedNames.has(name) ? it : LEFT;
  }
  if ('ref' in it) return { ref: true };
  if (it['tensor']) {
    const { dtype, shape, hex, meta, conj, neg, quantization, subclass, state, parameter } = it[
      'tensor'
    ] as Description;
    if (meta && subclass) return LEFT;
    const kept = { dtype, shape, hex, meta, conj, neg, quantization };
    return { tensor: { ...kept, parameter: parameter ?? false, state: pruned(state) } };
  }
  if (it['storage']) return { storage: (it['storage'] as Description)['hex'] };
  if (it['dict']) {
    const entries = (pruned(it['dict']) as [Description, Description][]).filter(
      ([key, value]) => !isLeft(key) && !isLeft(value) && !key['set'],
    );
    const type = it['type'] === 'defaultdict' ? 'dict' : it['type'];
    return { dict: entries, type, attributes: pruned(it['attributes']) };
  }
  if (it['set']) {
    return { set: (pruned(it['set']) as Description[]).filter((item) => !isLeft(item)) };
  }
  for (const kind of ['list', 'tuple'] as const) {
    if (!it[kind]) continue;
    const items = (pruned(it[kind]) as Description[]).map((item) =>
      isLeft(item) ? { none: true } : item,
    );
    return { [kind]: items, type: it['type'] };
  }
  return Object.fromEntries(Object.entries(it).map(([key, value]) => [key, pruned(value)]));
}

/** The bytes of all tensors in a description. */
function elements(described: unknown): string[] {
  if (typeof described !== 'object' || described === null) return [];
  const { tensor } = described as { tensor?: { hex?: string } };
  if (tensor) return [tensor.hex ?? 'meta'];
  return Object.values(described).flatMap(elements);
}

/** What is called `model` in a dict, or the whole. */
function modelIn(described: Description): unknown {
  const entries = described['dict'] as [Description, Description][];
  return entries.find(([key]) => key['str'] === 'model')?.[1] ?? described;
}

function isLeft(value: unknown): boolean {
  return value === LEFT;
}

async function load(paths: readonly string[]) {
  const lines = (await runPython('tests/judge/load.py', [...paths])).trim().split('\n');
  return lines.map((line) => JSON.parse(line) as { root?: Description; error?: string });
}

group('files that weights_only refuses, rewritten', async () => {
  const written = await Promise.all(refused.map(rewritten));
  const offered = written.filter((it) => it !== null);
  const judged = await load(offered.map(({ path }) => path));
  let next = 0;
  for (const [index, twin] of refused.entries()) {
    const result = written[index];
    const judgement = result ? judged[next++]! : null;
    it(`${twin.name} (torch ${twin.torch})`, () => {
      expect(result).not.toBeNull();
      expect(judgement!.error).toBeUndefined();
      const { root, state } = twin;
      if (state) {
        expect(pruned(modelIn(judgement!.root!))).toEqual(pruned(state));
      } else if (root!['call']) {
        // A model without a description of its state_dict: its tensors are there, each.
        expect(elements(judgement!.root).sort()).toEqual(elements(root).sort());
      } else {
        expect(pruned(judgement!.root)).toEqual(pruned(root));
      }
    });
  }
  console.log(
    offered.map(({ choice }) => `${choice.name}: ${choice.description}`.slice(0, 240)).join('\n'),
  );
  console.log(`${offered.length} of ${refused.length} refused files rewritten`);
});

group('files that name harm, rewritten', () => {
  it.each(harmful.map((twin) => [`${twin.name} (torch ${twin.torch})`, twin] as const))(
    '%s',
    async (_, twin) => {
      const result = await rewritten(twin);
      if (twin.name !== 'hostile_os_system') {
        // Nothing would remain of a file that is one call.
        expect(result).toBeNull();
        return;
      }
      expect(result!.choice.changes).toMatchObject([{ path: "['run']" }]);
      expect(result!.choice.description).toContain("Left out: ['run'] (posix.system");
      const [judged] = await load([result!.path]);
      expect(judged!.root).toMatchObject({ dict: [[{ str: 'weight' }, { tensor: {} }]] });
    },
  );
});
