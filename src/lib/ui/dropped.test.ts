import { describe, expect, it } from 'vitest';
import { chosenFolder, droppedOf, nameOf, readDrop, readPicked } from './dropped.ts';

const file = (name: string) => new File(['x'], name);
const signal = new AbortController().signal;

type Shape = { [name: string]: Shape | null };

/** A directory entry as browsers give it: a hundred entries at a time, then none. */
function directory(name: string, content: Shape): FileSystemEntry {
  const children = Object.entries(content).map(([child, inside]) =>
    inside
      ? directory(child, inside)
      : {
          name: child,
          isFile: true,
          isDirectory: false,
          file: (give: (it: File) => void) => give(file(child)),
        },
  );
  return {
    name,
    isFile: false,
    isDirectory: true,
    createReader: () => ({
      readEntries: (give: (batch: unknown[]) => void) => give(children.splice(0, 100)),
    }),
  } as unknown as FileSystemEntry;
}

/** What a drop carries: entries of folders, and files that may come without an entry. */
function transfer(...things: (File | FileSystemEntry)[]): DataTransfer {
  const items = things.map((thing) => ({
    kind: 'file',
    webkitGetAsEntry: () => (thing instanceof File ? null : thing),
    getAsFile: () => (thing instanceof File ? thing : null),
  }));
  return { items } as unknown as DataTransfer;
}

async function pathsOf(root: FileSystemEntry): Promise<string[] | string> {
  const result = await readDrop(transfer(root), signal);
  if (!result.ok) return result.findings[0]!.message;
  return result.pile.folders[0]!.files.map(({ path }) => path).toSorted();
}

describe('readDrop', () => {
  it('keeps loose files apart from folders', async () => {
    const result = await readDrop(
      transfer(file('model.py'), directory('run', { 'last.pt': null })),
      signal,
    );
    expect(result).toMatchObject({
      ok: true,
      pile: { files: [{ name: 'model.py' }], folders: [{ name: 'run' }] },
    });
  });

  it('reads folders in folders, and leaves out what is hidden', async () => {
    const inside = { b: { 'c.pt': null }, '.git': { HEAD: null }, '.metadata': null, 'a.pt': null };
    expect(await pathsOf(directory('run', inside))).toEqual(['.metadata', 'a.pt', 'b/c.pt']);
  });

  it('reads all of a folder that gives its entries a hundred at a time', async () => {
    const many = Object.fromEntries(Array.from({ length: 250 }, (_, index) => [`${index}`, null]));
    expect(await pathsOf(directory('run', many))).toHaveLength(250);
  });

  it('refuses what is too deep or too many', async () => {
    let deep: Shape = { 'a.pt': null };
    for (let depth = 0; depth < 12; depth++) deep = { a: deep };
    expect(await pathsOf(directory('run', deep))).toBe(
      'folder: run: it nests over 12 folders deep',
    );
    const many = Object.fromEntries(Array.from({ length: 10_001 }, (_, at) => [`${at}`, null]));
    expect(await pathsOf(directory('run', many))).toBe('folder: run: it holds over 10000 files');
  });
});

/** A folder as the browser's picker gives it. */
function handle(name: string, content: Shape): FileSystemDirectoryHandle {
  const children = Object.entries(content).map(([child, inside]) =>
    inside
      ? handle(child, inside)
      : { kind: 'file', name: child, getFile: () => Promise.resolve(file(child)) },
  );
  return {
    kind: 'directory',
    name,
    async *values() {
      yield* children;
    },
  } as unknown as FileSystemDirectoryHandle;
}

it('a picked folder is read as a dropped one is, within the same limits', async () => {
  const picked = await readPicked(
    [handle('run', { b: { 'c.pt': null }, '.git': { HEAD: null }, 'a.pt': null })],
    signal,
  );
  const files = [{ path: 'a.pt' }, { path: 'b/c.pt', file: { name: 'c.pt' } }];
  expect(picked).toMatchObject({
    ok: true,
    pile: { files: [], folders: [{ name: 'run', files }] },
  });
  const many = Object.fromEntries(Array.from({ length: 10_001 }, (_, at) => [`${at}`, null]));
  const refused = await readPicked([handle('run', many)], signal);
  expect(refused).toMatchObject({
    ok: false,
    findings: [{ message: 'folder: run: it holds over 10000 files' }],
  });
});

it('a chosen folder is read from the paths of its files', () => {
  const at = (path: string) =>
    Object.defineProperty(file(path.split('/').at(-1)!), 'webkitRelativePath', { value: path });
  const result = chosenFolder([at('run/a.pt'), at('run/b/c.pt'), at('run/.git/HEAD')]);
  const folders = [{ name: 'run', files: [{ path: 'a.pt' }, { path: 'b/c.pt' }] }];
  expect(result).toMatchObject({ ok: true, pile: { folders } });
});

describe('droppedOf', () => {
  const one = file('a.pt');
  const folder = { name: 'run', files: [{ path: 'b/c.pt', file: file('c.pt') }] };

  it('is a file, a folder, or files as a folder', () => {
    expect(droppedOf({ files: [one], folders: [] })).toEqual({ file: one });
    expect(droppedOf({ files: [], folders: [folder] })).toBe(folder);
    expect(droppedOf({ files: [one, file('b.json')], folders: [] })).toMatchObject({
      name: 'a.pt',
      files: [{ path: 'a.pt' }, { path: 'b.json' }],
    });
    expect(droppedOf({ files: [], folders: [] })).toBeNull();
  });

  it('joins folders and files under the first name', () => {
    const dropped = droppedOf({ files: [one], folders: [folder] })!;
    expect(dropped).toMatchObject({ files: [{ path: 'run/b/c.pt' }, { path: 'a.pt' }] });
    expect(nameOf(dropped)).toBe('run');
  });
});
