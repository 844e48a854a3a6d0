import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeDisk } from '../../../tests/fixtures/disk.ts';
import { tinyGraph } from '../../../tests/fixtures/tiny.ts';
import { tinyBound, tinyFacts, tinyKept, tinyTree } from '../../../tests/fixtures/tiny_run.ts';
import { blobSource } from '#lib/file/source.ts';
import { openCheckpoint } from '#lib/formats/index.ts';
import { startBackend } from '#lib/runtime/backend.ts';
import { keptFrom } from './kept_state.ts';
import { RunKeeping } from './run_keeping.ts';
import { findRuns, openRun } from './runs.ts';
import { passVerifier } from './verify_pass.ts';

const signal = new AbortController().signal;
const id = 'keeping';
const facts = tinyFacts(id);
const tree = tinyTree(id);

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
  const { files, problem } = await run.keep(tinyKept(1));
  expect(files).toEqual([]);
  expect(problem).toMatchObject({ code: 'storage-full', severity: 'error' });
  disk.begin();
  expect(await run.keep(tinyKept(2))).toEqual({ files: ['last.pt', 'best.pt'], problem: null });
  expect(await run.end(null, 'running')).toEqual({ files: [], problem: null });

  const again = await RunKeeping.resume(
    { id, name: 'tiny' },
    tinyKept(2),
    { end: 12 },
    {
      ...{ tree, signal },
    },
  );
  await again.end(tinyKept(3), 'ended');
  expect(await findRuns()).toMatchObject([{ state: 'ended', epoch: 3, end: 12 }]);
});

it('gives no file its name that a pass finds wanting', async () => {
  await startBackend(['cpu']);
  const inputs = [{ shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) }];
  const verify = passVerifier(tinyBound, { graph: tinyGraph(2, false), inputs }, signal);
  const run = await RunKeeping.start(facts, [], { tree, verify, signal });
  expect((await run.keep(tinyKept(1))).problem).toBeNull();
  await run.end(null, 'running');

  // What is written is another state than the one that is kept.
  const other = () => tree(tinyKept(2, 5));
  const parts = { tree: other, verify, signal };
  const again = await RunKeeping.resume({ id, name: 'tiny' }, tinyKept(1), {}, parts);
  const { problem } = await again.keep(tinyKept(2));
  expect(problem?.message).toMatch(/^save: read back, the model gives .* in output 0 at 0$/);
  await again.end(null, 'running');
  const { checkpoint } = await openRun(id, signal);
  const read = await openCheckpoint(blobSource(checkpoint), signal);
  expect(read.ok && (await keptFrom(read.checkpoint.root)).step).toBe(1);
  const files = disk.root.folders.get('runs')!.folders.get(id)!.files;
  expect([...files.keys()].filter((name) => name.endsWith('.tmp'))).toEqual([]);
});
