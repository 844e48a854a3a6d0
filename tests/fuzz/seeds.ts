/** The sound files that fuzzing starts from: the fixtures that PyTorch and others wrote. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { bytesSource } from '#lib/file/source.ts';
import { isTar, readTar } from '#lib/file/tar.read.ts';
import { openZip, readEntry } from '#lib/file/zip.read.ts';
import { fixturesOf, newFixtures, oldFixtures } from '../fixtures/made.ts';
import type { FolderSeed, Seed, Seeds } from './plans.ts';

/** Larger files say the same again, and take longer. */
const MAX_SIZE = 64 * 2 ** 10;

interface Twin {
  readonly name: string;
  readonly path: string;
  readonly format?: string;
  readonly kind?: string;
  readonly hostile?: string;
  readonly code?: string;
}

/** The groups: each kind of file, and the many checkpoints of PyTorch twice, by who wrote them. */
export async function allSeeds(): Promise<Seeds> {
  const parts = ['tests/judge/describe.py'];
  const [fresh, old, containers, gguf, arrays, safetensors, folders] = await Promise.all([
    newFixtures(),
    oldFixtures(),
    fixturesOf<Twin>('tests/fixtures/containers.py', { parts }),
    fixturesOf<Twin>('tests/fixtures/gguf.py', { parts: ['tests/judge/describe_gguf.py'] }),
    fixturesOf<Twin>('tests/fixtures/arrays.py'),
    fixturesOf<Twin>('tests/fixtures/safetensors_files.py'),
    fixturesOf<Twin>('tests/fixtures/folders.py', { parts }),
  ]);
  const torch = [...fresh, ...old].filter(({ format }) => format === 'torch');
  const of = (kind: RegExp) => containers.filter((twin) => kind.test(twin.kind!));
  const groups: readonly (readonly Twin[])[] = [
    torch.filter(({ name }) => !name.startsWith('legacy_')),
    fresh.filter(({ format }) => format === 'torch'),
    torch.filter(({ name }) => name.startsWith('legacy_')),
    of(/^module$/),
    of(/^module-legacy$/),
    of(/^tar/),
    of(/^script/),
    of(/^export/),
    gguf,
    [...arrays, ...fresh.filter(({ format }) => format === 'npz')],
    [...safetensors, ...fresh.filter(({ format }) => format === 'safetensors')],
    folders.filter(({ name }) => name.startsWith('shards')),
    folders.filter(({ name }) => !name.startsWith('shards')),
  ];
  const seeds = await Promise.all(groups.map(seedsOf));
  return [...seeds, barePickles(seeds[0]!)].filter((group) => group.length > 0);
}

async function seedsOf(twins: readonly Twin[]): Promise<(Seed | FolderSeed)[]> {
  const sound = twins.filter(({ hostile, code }) => !hostile && !code);
  const unique = new Map(sound.map(({ path }) => [path, path]));
  const seeds = await Promise.all(
    [...unique.keys()].map((path) =>
      statSync(path).isDirectory() ? folderSeed(path) : fileSeed(path),
    ),
  );
  return seeds.filter((seed) => sizeOf(seed) <= MAX_SIZE);
}

function sizeOf(seed: Seed | FolderSeed): number {
  const files = 'files' in seed ? seed.files : [seed];
  return files.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

async function folderSeed(path: string): Promise<FolderSeed> {
  const names = readdirSync(path).filter((name) => statSync(join(path, name)).isFile());
  const files = await Promise.all(names.map((name) => fileSeed(join(path, name))));
  return { name: basename(path), files };
}

async function fileSeed(path: string): Promise<Seed> {
  const bytes = new Uint8Array(readFileSync(path));
  return { name: basename(path), bytes, ...(await membersOf(bytes)) };
}

/** The members of a sound zip or tar. */
async function membersOf(bytes: Uint8Array): Promise<Pick<Seed, 'members' | 'container'>> {
  const source = bytesSource(bytes);
  if (isTar(bytes.subarray(0, 512))) {
    const { members } = await readTar(source);
    const read = members.map(({ name, start, size }) => ({
      name,
      bytes: bytes.subarray(start, start + size),
    }));
    return { members: read, container: 'tar' };
  }
  try {
    const zip = await openZip(source);
    const entries = [...zip.entries.values()];
    const members = await Promise.all(
      entries.map(async (entry) => ({ name: entry.name, bytes: await readEntry(zip, entry) })),
    );
    return { members, container: 'zip' };
  } catch {
    return {}; // no zip: it is edited as bytes
  }
}

/** The pickles of checkpoints without a container. */
function barePickles(seeds: readonly (Seed | FolderSeed)[]): Seed[] {
  return seeds.flatMap((seed) => {
    const members = 'files' in seed ? [] : (seed.members ?? []);
    return members
      .filter(({ name }) => name.endsWith('/data.pkl'))
      .map(({ bytes }) => ({ name: `${seed.name}.pkl`, bytes }));
  });
}
