/**
 * Flat dicts of tensors, of every fixture that holds one, written as .safetensors, as .npz and in
 * shards, and read back by safetensors, NumPy and a joining by the index of its own, bit for bit.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe as group, expect, it } from 'vitest';
import { isMeta, tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, isTensor, type Value } from '#lib/checkpoint/value.ts';
import { memorySink } from '#lib/file/sink.ts';
import { bytesSource } from '#lib/file/source.ts';
import { openFolder } from '#lib/formats/folder.ts';
import { npz } from '#lib/formats/npz.ts';
import { numpyDescr } from '#lib/formats/numpy.ts';
import { codeByDtype } from '#lib/formats/safetensors.dtypes.ts';
import { safetensors } from '#lib/formats/safetensors.ts';
import { shardKinds, writeSharded } from '#lib/formats/sharded.write.ts';
import { describe, type Description } from '../fixtures/describe.ts';
import { newFixtures, oldFixtures, type Fixture } from '../fixtures/made.ts';
import { runPython } from '../python.ts';
import { judgeWritten, type Judgement } from './judge.ts';
import { open, unwrap } from './lab.ts';
import { compared, contentsOf, keepMatrix, originOf } from './matrix.ts';

keepMatrix(import.meta.url);
const fixtures = [...(await newFixtures()), ...(await oldFixtures())].filter(({ root }) => root);
const folder = mkdtempSync(join(tmpdir(), 'weightroom-tables-'));
afterAll(() => rmSync(folder, { recursive: true }));

const label = (fixture: Fixture) => `${fixture.name} (torch ${fixture.torch})`;

const tables: { fixture: Fixture; table: Dict }[] = [];
for (const fixture of fixtures) {
  const table = tableOf((await open(fixture.path)).root);
  if (table) tables.push({ fixture, table });
}

/** The tables with the tensors that a format can hold, where there are any. */
function tablesOf(isHeld: (tensor: Tensor) => boolean): { fixture: Fixture; root: Dict }[] {
  return tables
    .map(({ fixture, table }) => {
      const held = [...table.entries()].filter(([, value]) => isHeld(value as Tensor));
      return { fixture, root: new Dict(held) };
    })
    .filter(({ root }) => root.size > 0);
}

group.each([
  ['safetensors', safetensors, inSafetensors, 'safetensors'],
  ['npz', npz, inNumpy, 'numpy'],
] as const)('as %s', async (_, format, isHeld, column) => {
  const files = [];
  for (const { fixture, root } of tablesOf(isHeld)) {
    const sink = memorySink();
    const metadata = new Map([['from', fixture.name]]);
    await format.write!(root, sink, { stem: 'saved', metadata });
    const path = join(folder, `${files.length}.${format.name}`);
    writeFileSync(path, sink.bytes());
    files.push({ fixture, root, path });
  }
  const judged = await judgeWritten(files.map(({ path }) => path));

  it.each(files.map((file, at) => [label(file.fixture), file, judged[at]!] as const))(
    '%s',
    async (_, { fixture, root, path }, { root: loaded, metadata, error, damaged }) => {
      expect(error).toBeUndefined();
      if (format === safetensors) expect(metadata).toEqual({ from: fixture.name });
      else expect(damaged).toBeNull();
      const own = await open(path);
      expect(sorted(await describe(own.root, { layout: false }))).toEqual(sorted(loaded!));
      const original = await describe(root, { layout: false });
      await compared(originOf(fixture), contentsOf(original), column, () => {
        expect(sorted(loaded!).map(elements)).toEqual(sorted(original).map(elements));
      });
    },
  );

  it('is of many fixtures', () => {
    expect(files.length).toBeGreaterThan(15);
  });
});

/** Small enough that most tables need several, and that some tensors do not fit in one. */
const SHARD_SIZE = 100;

group.each([
  ['safetensors', inSafetensors],
  ['bin', inZip],
] as const)('as shards of %s', async (kind, isHeld) => {
  const { stem, extension } = shardKinds[kind];
  const cases = [];
  for (const [at, { fixture, root }] of tablesOf(isHeld).entries()) {
    const place = join(folder, `${kind}${at}`);
    mkdirSync(place);
    const files = new Map<string, Uint8Array>();
    await writeSharded(root, kind, SHARD_SIZE, async (name, write) => {
      const sink = memorySink();
      await write(sink);
      files.set(name, sink.bytes());
      writeFileSync(join(place, name), sink.bytes());
    });
    cases.push({ fixture, root, files, place });
  }
  const input = cases.map(({ place, root }) => ({
    ...{ folder: place, stem, extension },
    ...{ size: SHARD_SIZE, keys: [...root.keys()] },
  }));
  const options = { input: JSON.stringify(input) };
  const lines = (await runPython('tests/judge/sharded.py', [], options)).trim().split('\n');
  const judged = lines.map((line) => JSON.parse(line) as Judgement & { files: number });

  it.each(cases.map((one, at) => [label(one.fixture), one, judged[at]!] as const))(
    '%s',
    async (_, { fixture, root, files }, { root: joined, error }) => {
      expect(error).toBeUndefined();
      const sources = [...files].map(([path, bytes]) => ({
        path,
        source: bytesSource(bytes, path),
      }));
      const own = unwrap(await openFolder('shards', sources)).checkpoint;
      expect(own.findings).toEqual([]);
      const original = await describe(root, { layout: false });
      await compared(originOf(fixture), contentsOf(original), 'shards', async () => {
        const read = await describe(own.root, { layout: false });
        expect(sorted(joined!).map(elements)).toEqual(sorted(original).map(elements));
        expect(sorted(read).map(elements)).toEqual(sorted(original).map(elements));
      });
    },
  );

  it('are several of many fixtures', () => {
    expect(judged.filter(({ files }) => files > 1).length).toBeGreaterThan(15);
  });
});

/** A flat dict of tensors by names. */
function tableOf(root: Value): Dict | undefined {
  if (!(root instanceof Dict) || root.size === 0) return undefined;
  const entries = [...root.entries()];
  const isFlat = entries.every(([key, value]) => typeof key === 'string' && isTensor(value));
  return isFlat ? root : undefined;
}

/** Whether safetensors has a form for the tensor: that others are refused is a test of its own below. */
function inSafetensors({ dtype, storage, shape }: Tensor): boolean {
  if (dtype === 'float4_e2m1fn_x2' && shape.length === 0) return false;
  return codeByDtype.has(dtype) && !isMeta(storage);
}

function inZip({ storage, numpy, subclass }: Tensor): boolean {
  return !isMeta(storage) && !numpy && !subclass;
}

function inNumpy({ dtype, storage }: Tensor): boolean {
  return numpyDescr(dtype) !== undefined && !isMeta(storage);
}

it('safetensors refuses a dtype that it lacks by name', async () => {
  const value = tensorFromBytes(new Uint8Array(16), 'complex128', [1]);
  const written = safetensors.write!(new Dict([['w', value]]), memorySink(), { stem: '' });
  await expect(written).rejects.toThrow('safetensors: "w" has the dtype complex128');
});

type Pair = [{ str: string }, { tensor: Record<string, unknown> }];

/** safetensors has an order of its own. */
function sorted(description: Description): Pair[] {
  const pairs = description['dict'] as Pair[];
  return [...pairs].sort(([a], [b]) => (a.str < b.str ? -1 : 1));
}

/** What every format has of a tensor. */
function elements([key, { tensor }]: Pair): unknown {
  const { dtype, shape, hex } = tensor;
  return [key, { dtype, shape, hex }];
}
