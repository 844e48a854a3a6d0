/** The sound files that fuzzing starts from: the fixtures that PyTorch and others wrote. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { bytesSource } from '#lib/file/source.ts';
import { openZip, readEntry } from '#lib/file/zip.read.ts';
import { fixturesOf, newFixtures, oldFixtures, type Fixture } from '../fixtures/made.ts';
import type { Seed } from './plans.ts';

/** Larger files say the same again, and take longer. */
const MAX_SIZE = 64 * 2 ** 10;

export async function allSeeds(): Promise<Seed[]> {
  const gguf = await fixturesOf<Fixture & { code?: string }>('tests/fixtures/gguf.py', {
    parts: ['tests/judge/describe_gguf.py'],
  });
  const arrays = await fixturesOf<Fixture>('tests/fixtures/arrays.py');
  const safetensors = await fixturesOf<Fixture>('tests/fixtures/safetensors_files.py');
  const fixtures = [
    ...(await newFixtures()),
    ...(await oldFixtures()),
    ...gguf.filter(({ code }) => !code),
    // A few say what all of them do, and leave the other formats their share.
    ...arrays.filter(({ name }) => /^(version|c16|b1)_/.test(name)),
    ...safetensors.filter(({ name }) => !/^(u?int|float8)/.test(name)),
  ];
  const files = fixtures
    .filter(({ hostile }) => !hostile)
    .map(({ path }) => ({ name: basename(path), bytes: new Uint8Array(readFileSync(path)) }))
    .filter(({ bytes }) => bytes.length <= MAX_SIZE);
  return Promise.all(
    files.map(async (file) => ({ ...file, members: await membersOf(file.bytes) })),
  );
}

/** The members of a sound zip. */
async function membersOf(bytes: Uint8Array): Promise<Seed['members']> {
  try {
    const zip = await openZip(bytesSource(bytes));
    const entries = [...zip.entries.values()];
    return await Promise.all(
      entries.map(async (entry) => ({ name: entry.name, bytes: await readEntry(zip, entry) })),
    );
  } catch {
    return undefined; // no zip: it is edited as bytes
  }
}
