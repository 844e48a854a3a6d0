/**
 * What the lab writes for PyTorch, read back, bit for bit: each fixture that can be written, as a zip
 * and in the format from before 1.6, by PyTorch 2.13 (`weights_only=True`; zips mapped, too) and by
 * 1.13.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe as group, expect, it } from 'vitest';
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { memorySink } from '#lib/file/sink.ts';
import type { Format } from '#lib/formats/format.ts';
import { torchLegacy } from '#lib/formats/torch.legacy.ts';
import { torch } from '#lib/formats/torch.read.ts';
import { describe, type Description } from '../fixtures/describe.ts';
import { newFixtures, oldFixtures, type Fixture } from '../fixtures/made.ts';
import { oldPython, python } from '../python.ts';
import { judgeWritten, type WrittenJudgement } from './judge.ts';
import { open } from './lab.ts';
import { compared, contentsOf, keepMatrix, originOf } from './matrix.ts';

keepMatrix(import.meta.url);
const fixtures = [...(await newFixtures()), ...(await oldFixtures())].filter(({ root }) => root);
const folder = mkdtempSync(join(tmpdir(), 'weightroom-written-'));
afterAll(() => rmSync(folder, { recursive: true }));

const label = (fixture: Fixture) => `${fixture.name} (torch ${fixture.torch})`;

async function save(
  format: Format,
  { root, metadata }: Pick<Checkpoint, 'root' | 'metadata'>,
  path: string,
): Promise<string> {
  const sink = memorySink();
  await format.write!(root, sink, { stem: 'saved', metadata });
  writeFileSync(path, sink.bytes());
  return path;
}

/** A file that the lab wrote, and what the judges say of it. */
interface Written {
  readonly fixture: Fixture;
  readonly path: string;
  readonly calls: Checkpoint['calls'];
  readonly newest: WrittenJudgement;
  readonly oldest?: WrittenJudgement;
}

async function writeAll(format: Format, extension: string): Promise<Written[]> {
  const writable = fixtures.filter(
    (fixture) =>
      fixture.format === 'torch' &&
      fixture.weights_only &&
      !(format === torchLegacy && lacksStorageClass(fixture.root!)),
  );
  const files = await Promise.all(
    writable.map(async (fixture, index) => {
      const checkpoint = await open(fixture.path);
      const path = await save(format, checkpoint, join(folder, `${index}${extension}`));
      return { fixture, path, calls: checkpoint.calls };
    }),
  );
  const paths = files.map(({ path }) => path);
  const newest = await judgeWritten(paths);
  const oldest = oldPython ? await judgeWritten(paths, oldPython) : [];
  return files.map((file, at) => ({ ...file, newest: newest[at]!, oldest: oldest[at] }));
}

group.each([
  ['a zip', 'zip', torch, '.pt'],
  ['a file from before 1.6', 'legacy', torchLegacy, '.pth'],
] as const)('opened and saved without a change, as %s', async (_, kind, format, extension) => {
  const written = await writeAll(format, extension);

  it.each(written.map((file) => [label(file.fixture), file] as const))('%s', async (_, file) => {
    const { fixture, path, newest, oldest } = file;
    const root = fixture.root!;
    expect(await describe((await open(path)).root)).toEqual(root);
    const [origin, contents] = [originOf(fixture), contentsOf(root, file.calls)];
    await compared(origin, contents, `${kind} 2.13`, () => {
      expect(newest).toMatchObject({ weights_only: true });
      expect(fixture.torch.startsWith('1.') ? bare(newest.root!) : newest.root).toEqual(root);
    });
    if (kind === 'zip') {
      await compared(origin, contents, 'mmap', () => expect(newest.mapped).toBeNull());
      expect(newest.damaged).toBeNull();
    }
    if (!oldest) return;
    if (isBeyond(root)) expect(oldest.error).toBeDefined();
    else if (forgets(root)) expect(oldest.error).toBeUndefined();
    else {
      await compared(origin, contents, `${kind} 1.13`, () => {
        expect(oldest.root).toEqual(bare(root));
        expect(oldest.weights_only).toBe(isPlainToOld(root));
      });
    }
  });

  it('is as many files as there are fixtures that PyTorch takes', () => {
    expect(written.length).toBeGreaterThan(kind === 'zip' ? 70 : 60);
  });
});

it('says of a dtype without a storage class that the format from before 1.6 lacks it', async () => {
  const lacking = fixtures.filter(
    ({ root, weights_only, format }) =>
      format === 'torch' && weights_only && lacksStorageClass(root!),
  );
  expect(lacking.length).toBeGreaterThan(3);
  for (const { path } of lacking) {
    const written = save(torchLegacy, await open(path), join(folder, 'refused.pth'));
    await expect(written).rejects.toThrow('the format from before 1.6 has no storage of');
  }
});

it("passes Python's own test of zips", async () => {
  const { path } = fixtures.find(({ name }) => name === 'adamw')!;
  const file = await save(torch, await open(path), join(folder, 'tested.pt'));
  const { status, stdout } = spawnSync(python, ['-m', 'zipfile', '-t', file], { encoding: 'utf8' });
  expect([status, stdout.trim()]).toEqual([0, 'Done testing']);
});

/** PyTorch 1.13 has no word for whether a sparse tensor is coalesced; its files do not say so to 2.13. */
function bare(root: Description): Description {
  const told = (key: string, value: unknown) => (key === 'coalesced' ? undefined : value);
  return JSON.parse(JSON.stringify(root), told) as Description;
}

const newer = String.raw`"dtype":"(uint16|uint32|uint64|float8\w+|float4\w+|bits\w+|complex32)"`;

/** Dtypes that PyTorch itself cannot read back in the format from before 1.6, and untyped storages. */
function lacksStorageClass(root: Description): boolean {
  return new RegExp(`${newer}|"storage":{"dtype":"uint8"`).test(JSON.stringify(root));
}

/** What PyTorch 1.13 has no way to rebuild: newer dtypes, bits of views, newer calls of sparse tensors. */
function isBeyond(root: Description): boolean {
  const others = /"(conj|neg)":true|"coalesced":|"layout":"sparse_(csr|csc|bsr|bsc)"/;
  const stateful = /"parameter":true,"state"/;
  return [new RegExp(newer), others, stateful].some((kind) => kind.test(JSON.stringify(root)));
}

/** It reads tensors with attributes, and leaves these away. */
function forgets(root: Description): boolean {
  return JSON.stringify(root).includes('"state":');
}

/** Its `weights_only` takes tensors, integers and texts, but no other plain values. */
function isPlainToOld(root: Description): boolean {
  return !/"(float|bytes|set|complex|global|call|quantization)":/.test(JSON.stringify(root));
}
