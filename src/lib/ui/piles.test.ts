import { describe, expect, it } from 'vitest';
import type { Folder, Pile } from './dropped.ts';
import { holdsPictures, isDataFolder, severalCheckpoints, sortPile } from './piles.ts';

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

describe('severalCheckpoints', () => {
  const files = (...names: string[]) => names.map((name) => file(name));
  const of = (pile: Partial<Pile>) => severalCheckpoints({ files: [], folders: [], ...pile });
  const names = (pile: Partial<Pile>) => of(pile)?.map(({ name }) => name) ?? null;

  it('finds files that are a checkpoint each', () => {
    expect(names({ files: files('a.pt', 'b.safetensors') })).toEqual(['a.pt', 'b.safetensors']);
    const run = folder('run', 'last.pt', 'best.pt', 'run.json', 'inputs.bin');
    expect(names({ folders: [run] })).toEqual(['last.pt', 'best.pt']);
  });

  it('takes shards, a single file and a model with its source for something else', () => {
    const shards = files('m-00001-of-00002.safetensors', 'm-00002-of-00002.safetensors');
    expect(names({ files: shards })).toBeNull();
    expect(names({ files: files('a.pt') })).toBeNull();
    expect(names({ files: files('a.pt', 'model.py') })).toBeNull();
    expect(names({ files: files('a.pt', 'data.csv') })).toBeNull();
  });

  it('tells files of one name by their paths', () => {
    const run = folder('run', 'epoch_1/model.pt', 'epoch_2/model.pt');
    expect(names({ folders: [run] })).toEqual(['epoch_1/model.pt', 'epoch_2/model.pt']);
  });

  it('takes each of several folders for one', () => {
    const [a, b] = [folder('a', 'model.safetensors', 'config.json'), folder('b', '.metadata')];
    expect(of({ folders: [a, b] })).toEqual([
      { name: 'a', dropped: a },
      { name: 'b', dropped: b },
    ]);
  });

  it('takes each step of a Trainer for one, with all that its folder holds', () => {
    const shard = 'model-00001-of-00001.safetensors';
    const step = ['optimizer.pt', shard, 'model.safetensors.index.json'];
    const inside = ['checkpoint-500', 'checkpoint-1000'].flatMap((it) =>
      step.map((name) => `${it}/${name}`),
    );
    const run = folder('run', ...inside, 'runs/events.out', 'model.safetensors');
    const found = of({ folders: [run] })!;
    expect(found.map(({ name }) => name)).toEqual(['checkpoint-500', 'checkpoint-1000']);
    expect(found.map(({ dropped }) => 'files' in dropped && dropped.files)).toEqual([
      step.map((path, at) => ({ path, file: run.files[at]!.file })),
      step.map((path, at) => ({ path, file: run.files[at + 3]!.file })),
    ]);
    expect(names({ folders: [folder('run', 'checkpoint-500/model.safetensors')] })).toBeNull();
  });
});
