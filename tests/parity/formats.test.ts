/**
 * Files that PyTorch, safetensors and numpy wrote, read by the lab, written by the lab, and read
 * by PyTorch again. Every fixture is a test of each; the twin beside a fixture says what is inside.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { afterAll, describe as group, expect, it } from 'vitest';
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { isMeta, tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, isTensor } from '#lib/checkpoint/value.ts';
import { memorySink } from '#lib/file/sink.ts';
import { bytesSource } from '#lib/file/source.ts';
import { openCheckpoint } from '#lib/formats/index.ts';
import { codeByDtype } from '#lib/formats/safetensors.dtypes.ts';
import { safetensors } from '#lib/formats/safetensors.ts';
import { allowedNames } from '#lib/formats/torch.names.ts';
import type { Format } from '#lib/formats/format.ts';
import { torchLegacy } from '#lib/formats/torch.legacy.ts';
import { torch } from '#lib/formats/torch.read.ts';
import { describe, type Description } from '../fixtures/describe.ts';
import { newFixtures, oldFixtures, type Fixture } from '../fixtures/made.ts';
import { oldPython, runPython } from '../python.ts';

const fixtures = [...(await newFixtures()), ...(await oldFixtures())];
const sound = fixtures.filter((fixture) => fixture.root);
const hostile = fixtures.filter((fixture) => fixture.hostile);
const folder = mkdtempSync(join(tmpdir(), 'weightroom-'));
afterAll(() => rmSync(folder, { recursive: true }));

const label = (fixture: Fixture) => `${fixture.name} (torch ${fixture.torch})`;
const layout = (fixture: Fixture) => ({ layout: fixture.format === 'torch' });

async function open(path: string): Promise<Checkpoint> {
  const result = await openCheckpoint(bytesSource(readFileSync(path), path));
  if (!result.ok) throw new Error(result.findings[0]!.message);
  return result.checkpoint;
}

async function save(checkpoint: Checkpoint, path: string): Promise<string> {
  const sink = memorySink();
  const format = writers[extname(path)]!;
  await format.write!(checkpoint.root, sink, { stem: 'saved', metadata: checkpoint.metadata });
  writeFileSync(path, sink.bytes());
  return path;
}

const writers: Record<string, Format> = {
  '.pt': torch,
  '.pth': torchLegacy,
  '.safetensors': safetensors,
};

async function load(paths: string[], python?: string) {
  const lines = await runPython('tests/judge/load.py', paths, { python });
  return lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { root?: Description; error?: string; metadata?: unknown });
}

group('reading', () => {
  it.each(sound.map((fixture) => [label(fixture), fixture] as const))('%s', async (_, fixture) => {
    const checkpoint = await open(fixture.path);
    const legacy = fixture.name.startsWith('legacy_');
    expect(checkpoint.format).toBe(legacy ? 'torch-legacy' : fixture.format);
    const described = await describe(checkpoint.root, layout(fixture));
    if (fixture.format === 'torch') expect(described).toEqual(fixture.root);
    else expect(sorted(described)).toEqual(sorted(fixture.root!));
    if (fixture.metadata) expect(Object.fromEntries(checkpoint.metadata)).toEqual(fixture.metadata);
  });
});

it('knows the names that weights_only knows', async () => {
  const names = JSON.parse(await runPython('tests/judge/allowed_names.py')) as string[];
  expect([...allowedNames].sort()).toEqual(names);
});

group('hostile files', () => {
  it.each(hostile.map((fixture) => [`${label(fixture)}: ${fixture.hostile}`, fixture] as const))(
    '%s',
    async (_, fixture) => {
      const started = performance.now();
      const source = bytesSource(readFileSync(fixture.path), fixture.name);
      const result = await openCheckpoint(source);
      if (fixture.name === 'hostile_bad_crc') {
        if (!result.ok) throw new Error(result.findings[0]!.message);
        await expect(describe(result.checkpoint.root)).rejects.toThrow('is damaged: its CRC-32 is');
      } else if (result.ok) {
        // What opens must not have been hurt by its contents: harmless to hold, refused on reading.
        const names = result.checkpoint.findings.map(({ code }) => code);
        if (fixture.name.startsWith('hostile_os_system'))
          expect(names).toContain('pickle-dangerous');
        else {
          expect(['hostile_laughs', 'hostile_deep', 'hostile_no_version']).toContain(fixture.name);
        }
      } else {
        const [finding] = result.findings;
        expect(finding!.code).not.toBe('internal');
        expect(finding!.message).toMatch(/^\S+: [a-z0-9].*[^.]$/s);
        expect(finding!.advice).toMatch(/^[A-Z].*\.$/s);
      }
      expect(performance.now() - started).toBeLessThan(2000);
    },
  );
});

group.each([
  ['a zip', '.pt'],
  ['a file from before 1.6', '.pth'],
])('open and save without a change, as %s', async (_, extension) => {
  const writable = sound.filter(({ format, weights_only }) => format === 'torch' && weights_only);
  const cases = await Promise.all(
    writable.map(async (fixture, index) => {
      const path = join(folder, `${index}${extension}`);
      const written = await open(fixture.path)
        .then((checkpoint) => save(checkpoint, path))
        .then(
          () => null,
          (error: Error) => error,
        );
      return { fixture, path, written };
    }),
  );
  const judged = await load(cases.filter(({ written }) => !written).map(({ path }) => path));
  let next = 0;
  for (const { fixture, path, written } of cases) {
    const judgement = written ? undefined : judged[next++]!;
    it(label(fixture), async () => {
      if (extension === '.pth' && newer.has(fixture.name) && fixture.torch.startsWith('2.')) {
        expect(written?.message).toContain('the format from before 1.6 has no storage of');
        return;
      }
      if (written) throw written;
      expect(await describe((await open(path)).root)).toEqual(fixture.root);
      expect(judgement!.error).toBeUndefined();
      expect(likeOld(fixture, judgement!.root!)).toEqual(fixture.root);
    });
  }
});

/** Fixtures with dtypes that have no storage class: PyTorch cannot read back its own legacy files of them. */
const newer = new Set(['dtypes', 'scalars', 'float8', 'packed', 'untyped_storage']);

/** PyTorch 1.13 does not write whether a sparse tensor is coalesced; to 2.13 it then never is. */
function likeOld({ torch }: Fixture, root: Description): Description {
  if (!torch.startsWith('1.')) return root;
  const told = (key: string, value: unknown) => (key === 'coalesced' ? undefined : value);
  return JSON.parse(JSON.stringify(root), told) as Description;
}

group('weights', async () => {
  const tables = [];
  for (const fixture of sound) {
    if (fixture.format === 'npz') continue;
    const { root } = await open(fixture.path);
    if (!(root instanceof Dict) || root.size === 0) continue;
    const entries = [...root.entries()];
    if (!entries.every(([key, value]) => typeof key === 'string' && isTensor(value))) continue;
    const held = entries.filter(([, value]) => isTensor(value) && isHeld(value));
    if (held.length === 0) continue;
    tables.push({ fixture, root: new Dict(held) });
  }
  it('has fixtures of both formats', () => {
    expect(tables.length).toBeGreaterThan(8);
  });
  const paths = await Promise.all(
    tables.map(({ root, fixture }, index) =>
      save(
        {
          name: '',
          format: '',
          root,
          size: 0,
          metadata: new Map([['from', fixture.name]]),
          findings: [],
          calls: [],
        },
        join(folder, `weights${index}.safetensors`),
      ),
    ),
  );
  const judged = await load(paths);
  for (const [index, { fixture, root }] of tables.entries()) {
    it(`${label(fixture)} as safetensors`, async () => {
      const { root: loaded, metadata, error } = judged[index]!;
      expect(error).toBeUndefined();
      expect(metadata).toEqual({ from: fixture.name });
      const own = await open(paths[index]!);
      expect(sorted(await describe(own.root, { layout: false }))).toEqual(sorted(loaded!));
      const original = await describe(root, { layout: false });
      expect(sorted(loaded!)).toEqual(sorted(original));
    });
  }
});

/** Whether safetensors has a form for the tensor: that others are refused is a test of its own below. */
function isHeld({ dtype, storage, shape }: Tensor): boolean {
  if (dtype === 'float4_e2m1fn_x2' && shape.length === 0) return false;
  return codeByDtype.has(dtype) && !isMeta(storage);
}

it('safetensors refuses a dtype that it lacks by name', async () => {
  const value = tensorFromBytes(new Uint8Array(16), 'complex128', [1]);
  const written = safetensors.write!(new Dict([['w', value]]), memorySink(), { stem: '' });
  await expect(written).rejects.toThrow('safetensors: "w" has the dtype complex128');
});

/** safetensors has an order of its own. */
function sorted(description: Description): unknown[] {
  const pairs = description.dict as [{ str: string }, unknown][];
  return [...pairs].sort(([a], [b]) => (a.str < b.str ? -1 : 1));
}

group.runIf(oldPython).each(['.pt', '.pth'])(
  'weights-only files in PyTorch 1.13: %s',
  async (extension) => {
    const plain = sound.filter(
      ({ name, torch, format }) =>
        ['state_dict', 'tied', 'views', 'weights', 'data_parallel', 'empty_tensors'].includes(
          name,
        ) &&
        format === 'torch' &&
        torch.startsWith('2.'),
    );
    const paths = await Promise.all(
      plain.map(async (fixture, index) =>
        save(await open(fixture.path), join(folder, `old${index}${extension}`)),
      ),
    );
    const judged = await load(paths, oldPython!);
    for (const [index, fixture] of plain.entries()) {
      it(fixture.name, () => {
        expect(judged[index]).toMatchObject({ torch: expect.stringMatching(/^1\.13/) as unknown });
        expect(judged[index]!.error).toBeUndefined();
        expect(judged[index]!.root).toEqual(fixture.root);
      });
    }
  },
);
