/**
 * Containers beside plain checkpoints, read by PyTorch and by the lab: whole pickled models,
 * TorchScript archives, exported programs, tar files. What `state_dict()` gives is compared bit for
 * bit.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe as group, expect, it } from 'vitest';
import { findStateDicts } from '#lib/architecture/binding.ts';
import type { ClassSource } from '#lib/checkpoint/checkpoint.ts';
import { Dict, isDict, type Value } from '#lib/checkpoint/value.ts';
import { memorySink } from '#lib/file/sink.ts';
import { torch } from '#lib/formats/torch.read.ts';
import { Lab } from '#lib/worker/lab.ts';
import type { SaveChoice } from '#lib/worker/protocol.ts';
import { describe, type Description } from '../fixtures/describe.ts';
import { fixturesOf } from '../fixtures/made.ts';
import { oldPython } from '../python.ts';
import { judgeWritten, load } from './judge.ts';
import { open, unwrap } from './lab.ts';
import { compared, contentsOf, keepMatrix } from './matrix.ts';

keepMatrix(import.meta.url);

interface Twin {
  readonly name: string;
  readonly path: string;
  readonly torch: string;
  readonly kind: string;
  /** What the file holds. */
  readonly root?: Description;
  /** The model's `state_dict()`. */
  readonly state?: Description;
  readonly attributes?: Record<string, Description>;
  readonly sources?: readonly ClassSource[];
  /** Whether the twin says in which storages the tensors lie. */
  readonly layout?: boolean;
}

const script = 'tests/fixtures/containers.py';
const parts = ['tests/judge/describe.py'];
const twins = [
  ...(await fixturesOf<Twin>(script, { parts })),
  ...(oldPython
    ? await fixturesOf<Twin>(script, { parts, interpreter: oldPython, age: 'old' })
    : []),
];

function each(...kinds: string[]) {
  return it.each(
    twins
      .filter(({ kind }) => kinds.includes(kind))
      .map((twin) => [`${twin.name} (torch ${twin.torch})`, twin] as const),
  );
}

/** The entries alone: PyTorch adds versions of classes, which the file does not hold. */
function described(root: Value): Promise<Description> {
  const [found] = findStateDicts(root);
  return describe(found?.dict ?? new Dict([], 'OrderedDict'));
}

const folder = mkdtempSync(join(tmpdir(), 'weightroom-containers-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Has the lab save the weights of a file, and says why it does not write the model as an object. */
async function saveAll(path: string) {
  const lab = new Lab();
  const context = { signal: new AbortController().signal, progress: () => {} };
  const file = new File([readFileSync(path)], basename(path));
  unwrap(await lab.handlers.open({ file }, context));
  const save = (choice: string) => lab.handlers.save({ choice }, context);
  const whole = await save('opened-checkpoint-pt');
  const isThere = lab.handlers.saves({}, context) as SaveChoice[];
  let weights: string | null = null;
  if (isThere.some(({ id }) => id === 'opened-weights-pt')) {
    const { saved } = unwrap(await save('opened-weights-pt'));
    weights = join(mkdtempSync(join(folder, 'one-')), saved.name);
    writeFileSync(weights, new Uint8Array(await saved.file!.arrayBuffer()));
  }
  return { weights, whole: whole.ok ? null : whole.findings[0]! };
}

function at(root: Value, ...path: string[]): Value {
  let value: Value | undefined = root;
  for (const key of path) {
    if (typeof value === 'object' && value?.kind === 'call') value = value.state;
    value = isDict(value) ? value.get(key) : undefined;
  }
  return value!;
}

group('whole models', async () => {
  each('module')('%s', async (_, { path, root, state }) => {
    const checkpoint = await open(path);
    const own = await describe(checkpoint.root);
    await compared('torch whole model', contentsOf(root!, checkpoint.calls), 'read', () =>
      expect(own).toEqual(root),
    );
    expect(await described(checkpoint.root)).toEqual(state);
  });

  const models = twins.filter(({ kind }) => kind === 'module' || kind === 'script');
  const saved = await Promise.all(models.map(({ path }) => saveAll(path)));
  const paths = saved.map(({ weights }) => weights).filter((path) => path !== null);
  const judged = await judgeWritten(paths);
  it.each(
    models.map((twin, index) => [`${twin.name} (torch ${twin.torch})`, twin, index] as const),
  )(
    'saved from %s: the weights alone, as PyTorch loads them',
    async (_, { state, kind }, index) => {
      const { weights, whole } = saved[index]!;
      expect(whole).toMatchObject({ code: 'torch-refused-name' });
      const isEmpty = (state!['dict'] as unknown[]).length === 0;
      expect(weights === null).toBe(isEmpty);
      if (!weights) return;
      const { root, damaged, mapped } = judged[paths.indexOf(weights)]!;
      const [origin, contents] = [`${kind} weights`, contentsOf(state!)];
      await compared(origin, contents, 'zip 2.13', () => expect(root).toEqual(state));
      await compared(origin, contents, 'mmap', () => expect(mapped).toBeNull());
      expect(damaged).toBeNull();
    },
  );
});

group('TorchScript', () => {
  each('script')('%s', async (_, { path, state }) => {
    const checkpoint = await open(path);
    expect(checkpoint.format).toBe('torchscript');
    const own = await described(checkpoint.root);
    await compared('torchscript', contentsOf(state!), 'read', () => expect(own).toEqual(state));
    expect(checkpoint.findings).toMatchObject([{ code: 'torch-script', severity: 'info' }]);
  });

  each('script-attributes')('%s', async (_, { path, attributes }) => {
    const model = (await open(path)).root as Dict;
    for (const [name, value] of Object.entries(attributes!)) {
      expect(await describe(at(model, 'model', name), { layout: false })).toEqual(value);
    }
  });

  each('script-opaque')('%s', async (_, { path }) => {
    const checkpoint = await open(path);
    expect(checkpoint.findings[1]).toMatchObject({ code: 'torch-script-opaque' });
  });
});

/** Sources by name: a file holds them in the order in which pickle met the classes. */
function sorted(sources: readonly ClassSource[] = []): ClassSource[] {
  return [...sources].sort((a, b) => (a.name < b.name ? -1 : 1));
}

group('models from before 1.6 with their sources', () => {
  each('module-legacy')('%s', async (_, { path, root, state, sources }) => {
    const checkpoint = await open(path);
    const own = await describe(checkpoint.root);
    await compared('torch whole model', contentsOf(root!, checkpoint.calls), 'read', () =>
      expect(own).toEqual(root),
    );
    expect(await described(checkpoint.root)).toEqual(state);
    expect(sorted(checkpoint.sources)).toEqual(sources);
    expect(checkpoint.findings[0]).toMatchObject({ code: 'torch-sources', severity: 'info' });
    expect(checkpoint.findings[0]!.message).toContain(`source of ${sources!.length} classes`);
    expect(checkpoint.calls.filter(({ name }) => name.includes('computes'))).toEqual([]);
  });
});

group('tar files', () => {
  each('tar')('%s', async (_, { path, root, layout, state, sources }) => {
    const checkpoint = await open(path);
    expect(checkpoint.format).toBe('torch-tar');
    expect(checkpoint.findings[0]).toMatchObject({ code: 'torch-tar' });
    const own = await describe(checkpoint.root, { layout: layout! });
    await compared('torch tar', contentsOf(root!), 'read', () => expect(own).toEqual(root));
    if (!state) return;
    expect(await described(checkpoint.root)).toEqual(state);
    expect(sorted(checkpoint.sources)).toEqual(sources);
  });

  each('tar-plain')('%s', async (_, { path }) => {
    await expect(open(path)).rejects.toThrow(
      /a tar archive, but no checkpoint: it holds "model\/weights.pt", "model\/latest.pt"$/,
    );
  });
});

/** As `dict(program.state_dict)`: the file's own may be an OrderedDict. */
function plain(program: Value): Value {
  const parts = isDict(program) ? [...program.entries()] : [];
  return new Dict(
    parts.map(([name, value]) => [name, isDict(value) ? new Dict(value.entries()) : value]),
  );
}

group('exported programs', () => {
  each('export')('%s', async (_, { path, root }) => {
    const checkpoint = await open(path);
    expect(checkpoint.format).toBe('pt2');
    expect(checkpoint.findings[0]).toMatchObject({ code: 'pt2-program', severity: 'info' });
    const own = await describe(plain(checkpoint.root));
    await compared('pt2', contentsOf(root!), 'read', () => expect(own).toEqual(root));
  });

  each('export-several')('%s', async (_, { path, root }) => {
    const programs = (await open(path)).root as Dict;
    const each = [...programs.entries()].map(([name, program]) => [name, plain(program)] as const);
    expect(await describe(new Dict(each))).toEqual(root);
  });
});

group('saved again as .pt', async () => {
  // Of what names classes, the weights alone are saved: see above.
  const plainly = twins.filter(
    ({ name, kind, state }) => name !== 'export_subclass' && !state && /^(tar|export)$/.test(kind),
  );
  const roots = await Promise.all(plainly.map(async ({ path }) => (await open(path)).root));
  const paths = roots.map((_, index) => join(folder, `again${index}.pt`));
  for (const [index, root] of roots.entries()) {
    const sink = memorySink();
    await torch.write!(root, sink, { stem: 'again' });
    writeFileSync(paths[index]!, sink.bytes());
  }
  const loaded = await load(paths);
  it.each(plainly.map((twin, index) => [`${twin.name} (torch ${twin.torch})`, index] as const))(
    '%s: as PyTorch loads it, weights only',
    async (_, index) => {
      expect(loaded[index]!.error).toBeUndefined();
      expect(loaded[index]!.root).toEqual(await describe(roots[index]!));
    },
  );
});
