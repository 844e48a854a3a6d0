import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ensureRoom, sweep, writeOpfs, type OpenFile } from './opfs.ts';

/** A folder of OPFS in memory, as far as the writer uses it. */
class FakeFolder {
  readonly files = new Map<string, Uint8Array<ArrayBuffer>>();

  getFileHandle(name: string, { create = false } = {}): Promise<FileSystemFileHandle> {
    if (!this.files.has(name)) {
      if (!create) return Promise.reject(new DOMException('not there', 'NotFoundError'));
      this.files.set(name, new Uint8Array());
    }
    let current = name;
    const handle = {
      name,
      kind: 'file',
      getFile: () => Promise.resolve(new File([this.files.get(current)!], current)),
      move: (_: unknown, to: string) => {
        this.files.set(to, this.files.get(current)!);
        this.files.delete(current);
        current = to;
        return Promise.resolve();
      },
    };
    return Promise.resolve(handle as unknown as FileSystemFileHandle);
  }
  removeEntry(name: string): Promise<void> {
    this.files.delete(name);
    return Promise.resolve();
  }
  async *keys() {
    yield* [...this.files.keys()];
  }
}

/** Opens for writing in the fake; `spoil` changes what arrives on the disk. */
function opener(folder: FakeFolder, spoil = (bytes: number[]) => bytes): OpenFile {
  return ({ name }) => {
    const bytes: number[] = [];
    return Promise.resolve({
      write: (piece) => Promise.resolve(void bytes.push(...piece)),
      close: () => Promise.resolve(void folder.files.set(name, Uint8Array.from(spoil(bytes)))),
    });
  };
}

const old = Uint8Array.of(1, 2, 3);
let folder: FakeFolder;
const write = (open = opener(folder), content = Uint8Array.of(4, 5, 6, 7)) =>
  writeOpfs(
    folder as unknown as FileSystemDirectoryHandle,
    'a.pt',
    async (sink) => {
      await sink.write(content.subarray(0, 3));
      expect(folder.files.get('a.pt')).toEqual(old);
      await sink.write(content.subarray(3));
    },
    open,
  );

beforeEach(() => {
  folder = new FakeFolder();
  folder.files.set('a.pt', old);
  const locks = { request: (_: string, work: () => unknown) => work() };
  const storage = { estimate: () => Promise.resolve({ quota: 10e6, usage: 4e6 }) };
  vi.stubGlobal('navigator', { locks, storage });
});
afterEach(() => vi.unstubAllGlobals());

describe('writeOpfs', () => {
  it('puts the new file in the place of the old one when it is whole', async () => {
    const file = await write();
    expect(new Uint8Array(await file.arrayBuffer())).toEqual(Uint8Array.of(4, 5, 6, 7));
    expect([...folder.files.keys()]).toEqual(['a.pt']);
  });

  it.each<[string, OpenFile | ((folder: FakeFolder) => OpenFile), string]>([
    ['it cannot be opened', () => Promise.reject(new Error('no access')), 'no access'],
    [
      'the disk is full',
      () =>
        Promise.resolve({
          write: () => Promise.reject(new Error('QuotaExceededError')),
          close: () => Promise.resolve(),
        }),
      'QuotaExceededError',
    ],
  ])('keeps the old file where %s', async (_, open, message) => {
    await expect(write(open as OpenFile)).rejects.toThrow(message);
    expect([...folder.files]).toEqual([['a.pt', old]]);
  });

  it.each([
    ['a bit flips', ([first, ...rest]: number[]) => [first! ^ 1, ...rest]],
    ['the end is missing', (bytes: number[]) => bytes.slice(0, -1)],
  ])('keeps the old file where %s', async (_, spoil) => {
    await expect(write(opener(folder, spoil))).rejects.toThrow(/a\.pt\.tmp reads back as/);
    expect([...folder.files]).toEqual([['a.pt', old]]);
  });
});

it('sweep removes what was cut off and nothing else', async () => {
  for (const name of ['b.pt.tmp', 'c.pt.crswap', 'tmp']) folder.files.set(name, old);
  await sweep(folder as unknown as FileSystemDirectoryHandle);
  expect([...folder.files.keys()]).toEqual(['a.pt', 'tmp']);
});

it('ensureRoom says what is needed and what there is', async () => {
  await ensureRoom('a.pt', 6e6);
  await expect(ensureRoom('a.pt', 7e6)).rejects.toThrow(
    'storage: a.pt needs 7 MB, the browser grants 6 MB on its own disk',
  );
});
