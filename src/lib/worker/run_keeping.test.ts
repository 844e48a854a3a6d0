import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeDisk } from '../../../tests/fixtures/disk.ts';
import { tinyGraph, tinySettings, tinyState, tinyTensors } from '../../../tests/fixtures/tiny.ts';
import { bind } from '#lib/architecture/binding.ts';
import { noEdits } from '#lib/architecture/edits.ts';
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { findingOf } from '#lib/checkpoint/finding.ts';
import { dict, list, type Value } from '#lib/checkpoint/value.ts';
import { blobSource } from '#lib/file/source.ts';
import { openCheckpoint } from '#lib/formats/index.ts';
import { startBackend } from '#lib/runtime/backend.ts';
import type { Kept } from '#lib/training/kept.ts';
import type { RunFacts } from '#lib/training/run_file.ts';
import { RunKeeping, type RunKeepingParts } from './run_keeping.ts';
import { placeOf } from './run_place.ts';
import { findRuns, openRun, removeRun } from './runs.ts';
import { keptFrom } from './kept_state.ts';
import { trainedCheckpoint, type BoundModel } from './trained.ts';
import { passVerifier } from './verify_pass.ts';

const weights = dict(tinyTensors());
const bound: BoundModel = {
  module: { state: tinyState, name: 'Tiny' } as unknown as BoundModel['module'],
  binding: bind(tinyState, weights),
  stateDict: { path: [], dict: weights, origin: weights, score: 1 },
};
const opened = { root: weights } as unknown as Checkpoint;
const signal = new AbortController().signal;

let runs = 0;
let id: string;
const facts = (): Omit<RunFacts, 'inputs'> => ({
  ...{ id, started: '2026-01-01T00:00:00.000Z', end: 9, settings: tinySettings, versions: {} },
  model: {
    ...{ name: 'Tiny', edits: noEdits, checkpoint: { name: 'start.pt', stateDict: [] } },
    source: { files: [], candidate: 'Tiny', file: null, arguments: {} },
  },
  data: {
    ...{ name: 'all', fingerprint: 'f', wish: {} },
    recipe: {} as RunFacts['data']['recipe'],
  },
  backend: { name: 'cpu', adapter: '' },
});
const parts = (): RunKeepingParts => ({
  tree: (kept) => trainedCheckpoint(opened, bound, kept, { run: id, settings: tinySettings }),
  signal,
});

function state(epoch: number, weight = epoch): Kept {
  const floats = tinyState
    .filter(({ dtype }) => dtype === 'float32')
    .map(({ key, shape }): [string, Float32Array] => [
      key,
      new Float32Array(shape.reduce((size, axis) => size * axis, 1)).fill(weight),
    ]);
  return {
    ...{ epoch, batch: 0, step: epoch, stale: 0, partial: {}, metrics: { val_loss: 1 } },
    best: { epoch: 1, metric: 'val_loss', mode: 'min', value: 1 },
    weights: {
      floats: new Map(floats),
      counters: new Map([['bn.num_batches_tracked', BigInt(epoch)]]),
    },
    optimizer: dict({ state: dict(), param_groups: list() }),
    ...{ ema: null, scheduler: null, scaler: null },
  };
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
    const inputs = [{ role: 'data' as const, path: 'all/data.csv', file }];
    const run = await RunKeeping.start(facts(), inputs, parts());
    expect(run.folder).toBe(id);
    expect(await run.keep(state(1))).toEqual({ files: ['last.pt', 'best.pt'], problem: null });
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
    expect(await run.end(null, 'running')).toEqual({ files: [], problem: null });

    expect(await findRuns()).toMatchObject([{ state: 'interrupted', end: 9 }]);
    const { checkpoint, data, settings, findings } = await openRun(id, signal);
    expect([checkpoint.name, findings, settings]).toEqual(['last.pt', [], tinySettings]);
    expect(data.files!.map(({ path }) => path)).toEqual(['all/data.csv']);
    expect(await data.files![0]!.file.text()).toBe('1,2');

    const again = await RunKeeping.resume({ id, name: 'tiny' }, state(1), { end: 12 }, parts());
    await again.keep(state(2));
    await again.end(state(3), 'ended');
    expect(await findRuns()).toMatchObject([{ state: 'ended', epoch: 3, end: 12 }]);
    await removeRun(id);
    expect(await findRuns()).toEqual([]);
    expect(await told(openRun(id, signal))).toMatchObject({ code: 'run-unknown' });
  });

  it('goes on in memory where the disk fails', async () => {
    const run = await RunKeeping.start(facts(), [], parts());
    disk.begin({ at: 3, kind: 'QuotaExceededError' });
    const { files, problem } = await run.keep(state(1));
    expect(files).toEqual([]);
    expect(problem).toMatchObject({ code: 'storage-full', severity: 'error' });
    disk.begin();
    expect((await run.keep(state(2))).files).toEqual(['last.pt', 'best.pt']);
    await run.end(null, 'ended');
  });

  it('leaves nothing where nothing was kept', async () => {
    const run = await RunKeeping.start(facts(), [], parts());
    expect(await findRuns()).toMatchObject([{ state: 'running', epoch: 0 }]);
    await run.end(null, 'running');
    expect(await findRuns()).toEqual([]);
    expect(disk.root.folders.get('runs')!.folders.size).toBe(0);
  });

  it('is told by its older run.json and its older states where the newer ones are cut off', async () => {
    disk = new FakeDisk({ canMove: false });
    const run = await RunKeeping.start(facts(), [], parts());
    for (const epoch of [1, 2]) await run.keep(state(epoch));
    await run.end(null, 'running');
    const files = filesOf(id);
    files.set('run.v9.json', new Uint8Array());
    files.set('last.v9.pt', files.get('last.v2.pt')!.slice(0, 900));
    expect(await findRuns()).toMatchObject([{ epoch: 2 }]);
    const { checkpoint, findings } = await openRun(id, signal);
    expect(checkpoint.name).toBe('last.v2.pt');
    expect(findings).toMatchObject([{ where: 'last.v9.pt', code: 'run-file-broken' }]);
  });

  it('takes no state of another run, and says when there is none', async () => {
    const run = await RunKeeping.start(facts(), [], parts());
    await run.keep(state(1));
    await run.end(null, 'running');
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
    const named = { ...facts(), settings: { ...tinySettings, name: '../x' } };
    expect(await told(RunKeeping.start(named, [], parts()))).toMatchObject({
      message: 'storage: no file can be called "../x"',
    });
    const picked = new FakeDisk();
    picked.root.files.set('last.pt', Uint8Array.of(1));
    const start = RunKeeping.start(facts(), [], { ...parts(), picked: picked.directory });
    expect(await told(start)).toMatchObject({
      code: 'run-folder-taken',
      message: expect.stringContaining('the folder disk holds last.pt already') as string,
    });
    expect(picked.root.files.get('last.pt')).toEqual(Uint8Array.of(1));
  });

  it('copies no data that is large', async () => {
    const large = new File([new Uint8Array(65 * 2 ** 20)], 'large.npz');
    const inputs = [{ role: 'data' as const, path: 'large.npz', file: large }];
    const run = await RunKeeping.start(facts(), inputs, parts());
    await run.keep(state(1));
    await run.end(null, 'ended');
    expect((await openRun(id, signal)).data).toMatchObject({ files: null, name: 'all' });
    expect((await placeOf(id)).isPrivate).toBe(true);
  });
});

describe('a file that was read back', () => {
  const pass = {
    graph: tinyGraph(2, false),
    inputs: [{ shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) }],
  };

  it('is judged by a pass before it has its name', async () => {
    await startBackend(['cpu']);
    const verify = passVerifier(bound, pass, signal);
    const run = await RunKeeping.start(facts(), [], { ...parts(), verify });
    expect((await run.keep(state(1))).problem).toBeNull();
    await run.end(null, 'running');

    const other = (kept: Kept): Value => parts().tree({ ...state(2, 5), step: kept.step });
    const again = await RunKeeping.resume(
      { id, name: 'tiny' },
      state(1),
      {},
      {
        ...{ tree: other, verify, signal },
      },
    );
    const { problem } = await again.keep(state(2));
    expect(problem?.message).toMatch(/^save: read back, the model gives .* in output 0 at 0$/);
    await again.end(null, 'running');
    const { checkpoint } = await openRun(id, signal);
    const read = await openCheckpoint(blobSource(checkpoint), signal);
    expect(read.ok && (await keptFrom(read.checkpoint.root)).step).toBe(1);
    expect([...filesOf(id).keys()].filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});
