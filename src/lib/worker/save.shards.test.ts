import { describe, expect, it } from 'vitest';
import { findingOf } from '#lib/checkpoint/finding.ts';
import { tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { dict, isTensor, type Dict } from '#lib/checkpoint/value.ts';
import { blobSource } from '#lib/file/source.ts';
import { openZip } from '#lib/file/zip.read.ts';
import { saveShards } from './save.shards.ts';

const bytes = (...values: number[]) => tensorFromBytes(Uint8Array.from(values), 'uint8', [4]);
const root = dict({ a: bytes(1, 2, 3, 4), b: bytes(5, 6, 7, 8), c: bytes(9, 10, 11, 12) });
const { signal } = new AbortController();
const names = [
  'model-00001-of-00002.safetensors',
  'model-00002-of-00002.safetensors',
  'model.safetensors.index.json',
];

/** A directory in memory, of directories that hold files. */
function memoryDirectory(written: (bytes: Uint8Array) => Uint8Array = (whole) => whole) {
  const folders = new Map<string, Map<string, File>>();
  const handle = {
    getDirectoryHandle(name: string) {
      const files = folders.get(name) ?? new Map<string, File>();
      folders.set(name, files);
      const getFileHandle = (file: string) => {
        files.set(file, new File([], file));
        const parts: Uint8Array<ArrayBuffer>[] = [];
        const stream = {
          write: (part: Uint8Array) => Promise.resolve(void parts.push(Uint8Array.from(part))),
          close() {
            const whole = written(new Uint8Array(Buffer.concat(parts)));
            files.set(file, new File([Uint8Array.from(whole)], file));
            return Promise.resolve();
          },
          abort: () => Promise.resolve(),
        };
        return Promise.resolve({
          createWritable: () => Promise.resolve(stream),
          getFile: () => Promise.resolve(files.get(file)),
        });
      };
      async function* keys() {
        yield* files.keys();
      }
      return Promise.resolve({ getFileHandle, keys });
    },
    removeEntry: (name: string) => Promise.resolve(void folders.delete(name)),
  };
  return { folders, directory: handle as unknown as FileSystemDirectoryHandle };
}

function save(place: { directory?: FileSystemDirectoryHandle; name?: string } = {}, from = root) {
  const progress = () => {};
  return saveShards(from, 'safetensors', 'run_shards', {
    ...place,
    shardSize: 8,
    signal,
    progress,
  });
}

describe('saving shards', () => {
  it('makes a folder with the shards and their index', async () => {
    const { folders, directory } = memoryDirectory();
    const saved = await save({ directory, name: 'mine' });
    expect(saved).toMatchObject({ name: 'mine', verified: true, files: names });
    expect(saved.file).toBeUndefined();
    const files = [...folders.get('mine')!.values()];
    expect(files.map(({ name }) => name)).toEqual(names);
    expect(saved.bytes).toBe(files.reduce((sum, { size }) => sum + size, 0));
  });

  it('never writes into a folder that holds something', async () => {
    const { folders, directory } = memoryDirectory();
    folders.set('run_shards', new Map([['thesis.txt', new File(['x'], 'thesis.txt')]]));
    const error: unknown = await save({ directory }).catch((reason: unknown) => reason);
    expect(findingOf(error)).toMatchObject({
      code: 'save-folder-filled',
      message: 'save: the folder run_shards is there already, with thesis.txt in it',
    });
    expect([...folders.get('run_shards')!.keys()]).toEqual(['thesis.txt']);
  });

  it('leaves no part of a folder behind when the disk fails', async () => {
    const { folders, directory } = memoryDirectory((whole) => whole.subarray(1));
    await expect(save({ directory })).rejects.toThrow('reads back as');
    expect(folders.size).toBe(0);
  });

  it('says which tensor reads back otherwise, and removes the folder', async () => {
    let reads = 0;
    const a = root.get('a')!;
    if (!isTensor(a)) throw new Error('no tensor');
    const read = () => Promise.resolve(Uint8Array.of(++reads, 0, 0, 0));
    const fickle: Dict = dict({ a: { ...a, storage: { ...a.storage, read } } });
    const { folders, directory } = memoryDirectory();
    await expect(save({ directory }, fickle)).rejects.toThrow("save: ['a'] reads back differently");
    expect(folders.size).toBe(0);
  });

  it('puts them into one zip where there is no folder to write to', async () => {
    const { name, file, files } = await save();
    expect([name, files]).toEqual(['run_shards.zip', undefined]);
    const zip = await openZip(blobSource(file!));
    expect([...zip.entries.keys()]).toEqual(names.map((entry) => `run_shards/${entry}`));
  });
});
