import { describe, expect, it } from 'vitest';
import type { Folder } from './dropped.ts';
import { holdsPictures, isDataFolder, sortPile } from './piles.ts';

const file = (name: string, ...parts: BlobPart[]) => new File(parts, name);
const folder = (name: string, ...paths: string[]): Folder => {
  return { name, files: paths.map((path) => ({ path, file: file(path) })) };
};

/** The end of a zip that lists these members. */
function directory(...names: string[]): Uint8Array<ArrayBuffer> {
  const entries = names.flatMap((name) => {
    const entry = new Uint8Array(46 + name.length);
    const view = new DataView(entry.buffer);
    view.setUint32(0, 0x02014b50, true);
    view.setUint16(28, name.length, true);
    entry.set(new TextEncoder().encode(name), 46);
    return [...entry];
  });
  return Uint8Array.from([1, 2, 3, ...entries, 0x50, 0x4b, 5, 6]);
}

it.each([
  [['cats/1.png', 'dogs/2.JPG'], true],
  [['train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte.gz'], true],
  [['archive/data.pkl', 'archive/data/0'], false],
  [['model.py'], false],
])('a zip of %j holds pictures: %s', async (names, holds) => {
  expect(await holdsPictures(file('a.zip', directory(...names)))).toBe(holds);
});

it.each([
  [['train/cats/1.png'], true],
  [['t10k-images-idx3-ubyte'], true],
  [['a.csv'], true],
  [['model.safetensors', 'preview.png'], false],
  [['train.py', 'a.png'], false],
  [['.metadata', '__0_0.distcp'], false],
  [['weights.npz'], false],
])('a folder of %j is data: %s', (paths, isData) => {
  expect(isDataFolder(folder('it', ...paths))).toBe(isData);
});

describe('sortPile', () => {
  const names = (files: readonly File[]) => files.map(({ name }) => name);

  it('tells sources, data and checkpoints apart', async () => {
    const pile = {
      files: [
        file('last.pt'),
        file('model.py'),
        file('x.npz'),
        file('code.zip', directory('a.py')),
      ],
      folders: [folder('flowers', 'a/1.png'), folder('repo', 'net.py'), folder('run', 'model.bin')],
    };
    const sorted = await sortPile(pile, 'open');
    expect(names(sorted.sources.files)).toEqual(['model.py']);
    expect(names(sorted.zips)).toEqual(['code.zip']);
    expect(names(sorted.data.files)).toEqual(['x.npz']);
    expect(names(sorted.checkpoint.files)).toEqual(['last.pt', 'code.zip']);
    const folders = (it: { folders: readonly Folder[] }) => it.folders.map(({ name }) => name);
    expect([sorted.sources, sorted.data, sorted.checkpoint].map(folders)).toEqual([
      ['repo'],
      ['flowers'],
      ['run'],
    ]);
  });

  it('takes for data what may be data, where data is expected', async () => {
    const files = ['all.pt', 'corpus.txt', 'x.zip', 'other.gguf'].map((it) => file(it));
    const sorted = await sortPile({ files, folders: [folder('digits', 'model.bin')] }, 'data');
    expect(names(sorted.data.files)).toEqual(['all.pt', 'corpus.txt', 'x.zip']);
    expect(sorted.data.folders).toHaveLength(1);
    expect(names(sorted.checkpoint.files)).toEqual(['other.gguf']);
  });

  it('takes a checkpoint beside its source for a model even there', async () => {
    const files = ['all.pt', 'model.py'].map((it) => file(it));
    const sorted = await sortPile({ files, folders: [] }, 'data');
    expect(sorted.data.files).toEqual([]);
    expect(names(sorted.sources.files)).toEqual(['model.py']);
    expect(names(sorted.checkpoint.files)).toEqual(['all.pt']);
  });
});
