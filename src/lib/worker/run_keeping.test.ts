import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeDisk } from '../../../tests/fixtures/disk.ts';
import { tinyGraph, tinySettings, tinyState, tinyTensors } from '../../../tests/fixtures/tiny.ts';
import { bind } from '#lib/architecture/binding.ts';
import { noEdits } from '#lib/architecture/edits.ts';
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { dict, list } from '#lib/checkpoint/value.ts';
import { blobSource } from '#lib/file/source.ts';
import { openCheckpoint } from '#lib/formats/index.ts';
import { startBackend } from '#lib/runtime/backend.ts';
import type { Kept } from '#lib/training/kept.ts';
import type { RunFacts } from '#lib/training/run_file.ts';
import { keptFrom } from './kept_state.ts';
import { RunKeeping } from './run_keeping.ts';
import { findRuns, openRun } from './runs.ts';
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
const id = 'keeping';
const facts: Omit<RunFacts, 'inputs'> = {
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
};
const tree = (kept: Kept) =>
  trainedCheckpoint(opened, bound, kept, { run: id, settings: tinySettings });

/** A state whose weights are all one number. */
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
  const storage = { getDirectory: () => Promise.resolve(disk.directory) };
  vi.stubGlobal('navigator', { locks: navigator.locks, storage });
});
afterEach(() => vi.unstubAllGlobals());

it('goes on in memory where the disk fails, and on the disk when it is there again', async () => {
  const run = await RunKeeping.start(facts, [], { tree, signal });
  expect(run.folder).toBe(id);
  disk.begin({ at: 3, kind: 'QuotaExceededError' });
  const { files, problem } = await run.keep(state(1));
  expect(files).toEqual([]);
  expect(problem).toMatchObject({ code: 'storage-full', severity: 'error' });
  disk.begin();
  expect(await run.keep(state(2))).toEqual({ files: ['last.pt', 'best.pt'], problem: null });
  expect(await run.end(null, 'running')).toEqual({ files: [], problem: null });

  const again = await RunKeeping.resume(
    { id, name: 'tiny' },
    state(2),
    { end: 12 },
    {
      ...{ tree, signal },
    },
  );
  await again.end(state(3), 'ended');
  expect(await findRuns()).toMatchObject([{ state: 'ended', epoch: 3, end: 12 }]);
});

it('gives no file its name that a pass finds wanting', async () => {
  await startBackend(['cpu']);
  const inputs = [{ shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) }];
  const verify = passVerifier(bound, { graph: tinyGraph(2, false), inputs }, signal);
  const run = await RunKeeping.start(facts, [], { tree, verify, signal });
  expect((await run.keep(state(1))).problem).toBeNull();
  await run.end(null, 'running');

  // What is written is another state than the one that is kept.
  const other = () => tree(state(2, 5));
  const parts = { tree: other, verify, signal };
  const again = await RunKeeping.resume({ id, name: 'tiny' }, state(1), {}, parts);
  const { problem } = await again.keep(state(2));
  expect(problem?.message).toMatch(/^save: read back, the model gives .* in output 0 at 0$/);
  await again.end(null, 'running');
  const { checkpoint } = await openRun(id, signal);
  const read = await openCheckpoint(blobSource(checkpoint), signal);
  expect(read.ok && (await keptFrom(read.checkpoint.root)).step).toBe(1);
  const files = disk.root.folders.get('runs')!.folders.get(id)!.files;
  expect([...files.keys()].filter((name) => name.endsWith('.tmp'))).toEqual([]);
});
