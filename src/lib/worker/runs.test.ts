import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeDisk } from '../../../tests/fixtures/disk.ts';
import { tinySettings } from '../../../tests/fixtures/tiny.ts';
import { tinyFacts, tinyKept, tinyTree } from '../../../tests/fixtures/tiny_run.ts';
import { findingOf } from '#lib/checkpoint/finding.ts';
import type { RunFolder } from '#lib/storage/run_folder.ts';
import { Keeper } from '#lib/training/keep.ts';
import type { Kept } from '#lib/training/kept.ts';
import { runFilesOf } from './keeping.ts';
import { continueRun, copyInputs, placeOf, startRun, type InputFile } from './run_place.ts';
import { findRuns, openRun, removeRun } from './runs.ts';

const signal = new AbortController().signal;

let runs = 0;
let id: string;
/** The folder of a run, and what keeps it. */
async function keeperIn(folder: RunFolder, before: Kept | null, inputs: InputFile[] = []) {
  const files = runFilesOf(folder, { tree: tinyTree(id), signal });
  const all = { ...tinyFacts(id), inputs: await copyInputs(folder, inputs) };
  return { folder, keeper: await Keeper.open(files, all, { before }) };
}
const start = async (inputs: InputFile[] = []) =>
  keeperIn(await startRun({ id, name: 'tiny' }), null, inputs);

/** A run that has kept some states and was cut off. */
async function cutOff(epochs: number[], inputs: InputFile[] = []): Promise<void> {
  const { folder, keeper } = await start(inputs);
  for (const epoch of epochs) await keeper.keep(tinyKept(epoch));
  await folder.close();
}

let disk: FakeDisk;
beforeEach(() => {
  disk = new FakeDisk();
  id = `keeping-${++runs}`;
  const storage = { getDirectory: () => Promise.resolve(disk.directory) };
  vi.stubGlobal('navigator', { locks: navigator.locks, storage });
});
afterEach(() => vi.unstubAllGlobals());

const filesOf = (of: string) => disk.root.folders.get('runs')!.folders.get(of)!.files;
const told = async (work: Promise<unknown>) =>
  findingOf(await work.catch((error: unknown) => error));

describe('a run that is kept', () => {
  it('is found while it runs and afterwards, with its data, and goes on', async () => {
    const file = new File(['1,2'], 'data.csv');
    const { folder, keeper } = await start([{ role: 'data', path: 'all/data.csv', file }]);
    await keeper.keep(tinyKept(1));
    expect(await findRuns()).toMatchObject([
      {
        id,
        name: 'tiny',
        model: 'Tiny',
        place: 'private',
        state: 'running',
        epoch: 1,
        data: 'all',
      },
    ]);
    expect(await told(openRun(id, signal))).toMatchObject({ code: 'run-in-use' });
    expect(await told(removeRun(id))).toMatchObject({ code: 'run-in-use' });
    await folder.close();

    expect(await findRuns()).toMatchObject([{ state: 'interrupted', end: 9 }]);
    const { checkpoint, data, settings, findings } = await openRun(id, signal);
    expect([checkpoint.name, findings, settings]).toEqual(['last.pt', [], tinySettings]);
    expect(data.files!.map(({ path }) => path)).toEqual(['all/data.csv']);
    expect(await data.files![0]!.file.text()).toBe('1,2');

    const again = await keeperIn(await continueRun({ id, name: 'tiny' }), tinyKept(1));
    await again.keeper.keep(tinyKept(2));
    await again.keeper.end(tinyKept(3));
    await again.folder.close();
    expect(await findRuns()).toMatchObject([{ state: 'ended', epoch: 3 }]);
    await removeRun(id);
    expect(await findRuns()).toEqual([]);
    expect(await told(openRun(id, signal))).toMatchObject({ code: 'run-unknown' });
  });

  it('leaves nothing where nothing was kept', async () => {
    const { folder } = await start();
    expect(await findRuns()).toMatchObject([{ state: 'running', epoch: 0 }]);
    await folder.close();
    expect(await findRuns()).toEqual([]);
    expect(disk.root.folders.get('runs')!.folders.size).toBe(0);
  });

  it('is told by its older run.json and its older states where the newer ones are cut off', async () => {
    disk = new FakeDisk({ canMove: false });
    await cutOff([1, 2]);
    const files = filesOf(id);
    files.set('run.v9.json', new Uint8Array());
    files.set('last.v9.pt', files.get('last.v2.pt')!.slice(0, 900));
    expect(await findRuns()).toMatchObject([{ epoch: 2 }]);
    const { checkpoint, findings } = await openRun(id, signal);
    expect(checkpoint.name).toBe('last.v2.pt');
    expect(findings).toMatchObject([{ where: 'last.v9.pt', code: 'run-file-broken' }]);
  });

  it('takes no state of another run, and says when there is none', async () => {
    await cutOff([1]);
    const files = filesOf(id);
    const text = new TextDecoder().decode(files.get('run.json'));
    files.set('run.json', new TextEncoder().encode(text.replaceAll(id, 'other')));
    expect(await told(openRun(id, signal))).toMatchObject({
      code: 'run-empty',
      message: 'storage: the run tiny has kept no state',
    });
    files.delete('run.json');
    expect(await told(openRun(id, signal))).toMatchObject({ code: 'run-file' });
  });

  it('asks for another name, or another folder', async () => {
    expect(await told(startRun({ id, name: '../x' }))).toMatchObject({
      message: 'storage: no file can be called "../x"',
    });
    const picked = new FakeDisk();
    picked.root.files.set('last.pt', Uint8Array.of(1));
    expect(await told(startRun({ id, name: 'tiny', folder: picked.directory }))).toMatchObject({
      code: 'run-folder-taken',
      message: expect.stringContaining('the folder disk holds last.pt already') as string,
    });
    expect(picked.root.files.get('last.pt')).toEqual(Uint8Array.of(1));
  });

  it('copies no data that is large', async () => {
    const file = new File([new Uint8Array(65 * 2 ** 20)], 'large.npz');
    await cutOff([1], [{ role: 'data', path: 'large.npz', file }]);
    expect((await openRun(id, signal)).data).toMatchObject({ files: null, name: 'all' });
    expect((await placeOf(id)).isPrivate).toBe(true);
  });
});
