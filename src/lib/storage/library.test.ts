import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeDisk, type Fault } from '../../../tests/fixtures/disk.ts';
import { findingOf } from '#lib/checkpoint/finding.ts';
import { fileWriter, freeName, Library, libraryFolder, type KeptFiles } from './library.ts';

let disk: FakeDisk;
beforeEach(() => {
  disk = new FakeDisk();
  const storage = {
    getDirectory: () => Promise.resolve(disk.directory),
    estimate: () => Promise.resolve({ quota: 1000, usage: 900 }),
  };
  vi.stubGlobal('navigator', { locks: navigator.locks, storage });
});
afterEach(() => vi.unstubAllGlobals());

const library = async () => new Library(await libraryFolder(), fileWriter(undefined));
const file = (text: string, name = 'last.pth') => new File([text], name);
const single = (text: string, name = 'last.pth'): KeptFiles => ({
  ...{ name, isFolder: false },
  files: [{ path: name, file: file(text, name) }],
});
const shards: KeptFiles = {
  ...{ name: 'model', isFolder: true, choice: 1 },
  files: [
    { path: 'a/index.json', file: file('{}', 'index.json') },
    { path: 'a/1.bin', file: file('123', '1.bin') },
  ],
};
const quietly = () => ({ signal: new AbortController().signal, onProgress: vi.fn() });
const told = async (work: Promise<unknown>) =>
  findingOf(await work.catch((error: unknown) => error));
const texts = async (kept: KeptFiles) =>
  Promise.all(kept.files.map(async ({ path, file: it }) => [path, it.name, await it.text()]));

describe('the library', () => {
  it('keeps files and folders, lists them with their sizes, and gives them back', async () => {
    const shelf = await library();
    const { signal, onProgress } = quietly();
    const { id } = await shelf.keep(single('weights'), { signal, onProgress });
    const folder = await shelf.keep(shards, quietly());
    expect(onProgress).toHaveBeenLastCalledWith(7);
    const entries = await shelf.entries();
    expect(entries.map(({ name, bytes, files }) => [name, bytes, files])).toEqual(
      expect.arrayContaining([
        ['last.pth', 7, 1],
        ['model', 5, 2],
      ]),
    );
    expect(await texts(await shelf.open(id))).toEqual([['last.pth', 'last.pth', 'weights']]);
    const back = await shelf.open(folder.id);
    expect(back).toMatchObject({ name: 'model', isFolder: true, choice: 1 });
    expect(await texts(back)).toEqual([
      ['a/index.json', 'index.json', '{}'],
      ['a/1.bin', '1.bin', '123'],
    ]);
  });

  it('renames without touching the bytes, and refuses what is no name or taken', async () => {
    const shelf = await library();
    const { id } = await shelf.keep(single('one'), quietly());
    const second = await shelf.keep(single('two'), quietly());
    expect(second.name).toBe('last (2).pth');
    await shelf.rename(id, ' best.pth ');
    expect(await texts(await shelf.open(id))).toEqual([['last.pth', 'best.pth', 'one']]);
    expect(await told(shelf.rename(id, 'a/b'))).toMatchObject({ code: 'library-name' });
    expect(await told(shelf.rename(id, ' '))).toMatchObject({ code: 'library-name' });
    expect(await told(shelf.rename(id, 'last (2).pth'))).toMatchObject({
      message: 'library: there is a last (2).pth already',
    });
  });

  it('removes, and says of what is gone that it is', async () => {
    const shelf = await library();
    const { id } = await shelf.keep(single('one'), quietly());
    const removal = await shelf.remove(id);
    expect(await shelf.remove(id)).toBe(null);
    expect(await shelf.entries()).toEqual([]);
    expect(await told(shelf.open(id))).toMatchObject({ code: 'library-gone' });
    await removal!.end();
    expect(disk.root.folders.get('library')!.folders.size).toBe(0);
  });

  it('gives back what was removed, under a free name, as long as the tab lives', async () => {
    const shelf = await library();
    const { id } = await shelf.keep(single('one'), quietly());
    const removal = await shelf.remove(id);
    expect(await (await library()).entries()).toEqual([]); // sweeps, in another tab
    await shelf.keep(single('two'), quietly());
    await removal!.undo();
    expect(await texts(await shelf.open(id))).toEqual([['last.pth', 'last (2).pth', 'one']]);
    await (await shelf.remove(id))!.undo(); // nobody holds it any more
    expect(await shelf.entries()).toHaveLength(2);
  });

  it('has a new start finish a removal that the tab did not live to end', async () => {
    const shelf = await library();
    const { id } = await shelf.keep(single('one'), quietly());
    disk.root.folders.get('library')!.folders.get(id)!.files.delete('entry.json');
    expect(await (await library()).entries()).toEqual([]);
    expect(disk.root.folders.get('library')!.folders.size).toBe(0);
  });

  it('says before it writes that there is no room', async () => {
    const shelf = await library();
    expect(await told(shelf.keep(single('x'.repeat(101)), quietly()))).toMatchObject({
      code: 'storage-room',
    });
    expect(disk.root.folders.get('library')!.folders.size).toBe(0);
  });

  it('notices that a file is shorter than it was', async () => {
    const shelf = await library();
    const { id } = await shelf.keep(single('weights'), quietly());
    disk.root.folders.get('library')!.folders.get(id)!.files.set('0', new Uint8Array(3));
    expect(await told(shelf.open(id))).toMatchObject({
      message: 'library: last.pth of last.pth has 3 bytes, 7 were kept',
    });
  });

  it('leaves nothing of what is cancelled', async () => {
    const shelf = await library();
    const controller = new AbortController();
    const onProgress = () => controller.abort();
    await expect(shelf.keep(shards, { signal: controller.signal, onProgress })).rejects.toThrow();
    expect(disk.root.folders.get('library')!.folders.size).toBe(0);
  });
});

/** Keeps a file beside another one, with a fault; gives what a new start finds. */
async function keepWith(fault: Fault) {
  disk = new FakeDisk();
  await (await library()).keep(single('good', 'good.pt'), quietly());
  const shelf = await library();
  disk.begin(fault);
  const isKept = await shelf.keep(single('weights'), quietly()).then(
    () => true,
    () => false,
  );
  const { calls } = disk;
  disk.begin();
  const entries = await (await library()).entries();
  return { isKept, calls, entries: entries.map(({ name }) => name).sort() };
}

it.each(['QuotaExceededError', 'kill before', 'kill after', 'flip', 'cut'] as const)(
  'whatever fails by %s, what was kept stays, and the new one is whole or not there',
  async (kind) => {
    const { calls } = await keepWith({ at: Infinity, kind });
    expect(calls).toBeGreaterThan(8);
    for (let at = 0; at < calls; at++) {
      const { isKept, entries } = await keepWith({ at, kind });
      expect(entries).toContain('good.pt');
      if (isKept) expect(entries).toEqual(['good.pt', 'last.pth']);
      const folders = [...disk.root.folders.get('library')!.folders.values()];
      expect(folders).toHaveLength(entries.length); // what was cut off has been swept
      for (const { files } of folders) {
        const content = new TextDecoder().decode(files.get('0'));
        expect(['good', 'weights']).toContain(content);
      }
    }
  },
);

it('finds a free name', () => {
  expect(freeName('a.pt', ['b.pt'])).toBe('a.pt');
  expect(freeName('a.pt', ['a.pt', 'a (2).pt'])).toBe('a (3).pt');
  expect(freeName('.metadata', ['.metadata'])).toBe('.metadata (2)');
});
