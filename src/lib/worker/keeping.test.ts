import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { FakeDisk, type Fault, type FaultKind } from '../../../tests/fixtures/disk.ts';
import { floats } from '../../../tests/fixtures/tiny.ts';
import { bind } from '#lib/architecture/binding.ts';
import { noEdits } from '#lib/architecture/edits.ts';
import type { ParameterSpec } from '#lib/architecture/graph.ts';
import { findingOf } from '#lib/checkpoint/finding.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { dict, isDict, list, type Dict, type Value } from '#lib/checkpoint/value.ts';
import { blobSource } from '#lib/file/source.ts';
import { openCheckpoint } from '#lib/formats/index.ts';
import { RunFolder, runFiles } from '#lib/storage/run_folder.ts';
import { isBetter } from '#lib/training/best.ts';
import { BEST, isRunFile, Keeper, METRICS, numberedEpoch, RUN } from '#lib/training/keep.ts';
import type { Best, Kept } from '#lib/training/kept.ts';
import { readRunFile, type RunFacts } from '#lib/training/run_file.ts';
import type { RunSettings } from '#lib/training/settings.ts';
import { runFilesOf } from './keeping.ts';
import { keptFrom, type KeptState } from './kept_state.ts';
import { newestState } from './runs.ts';
import { trainedCheckpoint, type BoundModel } from './trained.ts';

const spec: ParameterSpec = {
  ...{ key: 'w', shape: [2], dtype: 'float32', kind: 'parameter', requiresGrad: true },
};
const weights = dict({ w: floats([2], 0, 0) });
const bound: BoundModel = {
  module: { state: [spec], name: 'Net' } as unknown as BoundModel['module'],
  binding: bind([spec], weights),
  stateDict: { path: [], dict: weights, origin: weights, score: 1 },
};
const opened = {
  ...{ name: 'start.pt', format: 'torch', root: weights, size: 0 },
  ...{ metadata: new Map(), findings: [], calls: [] },
} as Parameters<typeof trainedCheckpoint>[0];

const settings = (keep: RunSettings['keep']): RunSettings => ({
  ...{ name: 'net', epochs: 9, batchSize: 4, accumulate: 1, seed: 1 },
  optimizer: { name: 'SGD', options: { lr: 0.1 }, groups: [] },
  ...{ scheduler: null, scaler: null, clip: null, ema: null, earlyStopping: null },
  loss: { name: 'mse_loss' },
  monitor: { metric: 'loss', mode: 'min' },
  data: { validationShare: 0.1, stratified: false, augmentation: null },
  keep,
});
let runs = 0;
const factsOf = (keep: RunSettings['keep']): RunFacts => ({
  ...{ id: `run-${++runs}`, started: '2026-01-01T00:00:00.000Z', settings: settings(keep), end: 9 },
  model: {
    ...{ name: 'Net', source: null, edits: noEdits },
    checkpoint: { name: 'start.pt', stateDict: [] },
  },
  data: { name: 'data.npz', fingerprint: 'f', recipe: {} as RunFacts['data']['recipe'], wish: {} },
  ...{ inputs: [], backend: { name: 'cpu', adapter: '' }, versions: {} },
});

type Place = Pick<Kept, 'epoch' | 'batch' | 'step' | 'metrics' | 'best'>;
const nowhere: Place = { epoch: 0, batch: 0, step: 0, metrics: {}, best: null };

/** The state after a whole epoch that scored `loss`, or after some batches. */
function after(place: Place, loss: number | null): Kept {
  const step = place.step + 1;
  const values = {
    ...{ floats: new Map([['w', Float32Array.of(step, loss ?? -1)]]), counters: new Map() },
  };
  const optimizer = dict({
    state: dict(),
    param_groups: list(dict({ lr: 0.1, params: list(0n) })),
  });
  const rest = { weights: values, ema: null, optimizer, scheduler: null, scaler: null, stale: 0 };
  if (loss === null) {
    return { ...rest, ...place, batch: place.batch + 1, step, partial: { loss: 1, weight: step } };
  }
  const epoch = place.epoch + 1;
  const scored: Best = { epoch, metric: 'val_loss', mode: 'min', value: loss };
  const best = isBetter(scored, place.best) ? scored : place.best;
  const metrics = { lr: 0.1, train_loss: loss / 2, val_loss: loss };
  return { ...rest, epoch, batch: 0, step, metrics, best, partial: {} };
}

const signal = new AbortController().signal;
const theirs = ['other_epoch3_valloss0.5000.pt', 'notes.pt.tmp', 'net_best.pt', 'net_epoch.pt'];

async function start(disk: FakeDisk, facts: RunFacts, before: KeptState | null) {
  const isOurs = (name: string) => isRunFile(name, facts.settings.name);
  const folder = await RunFolder.open(disk.directory, { id: facts.id, isOurs });
  const tree = (kept: Kept) => trainedCheckpoint(opened, bound, kept, { run: facts.id });
  try {
    const keeper = await Keeper.open(runFilesOf(folder, { tree, signal }), facts, { before });
    return { folder, keeper };
  } catch (error) {
    await folder.close();
    throw error;
  }
}

const newest = async (disk: FakeDisk, facts: RunFacts) =>
  newestState(disk.copy().directory, facts, signal);

async function numbers(root: unknown): Promise<number[]> {
  const model = (root as Dict).get('model') as Dict;
  const bytes = await readTensor(model.get('w') as Tensor);
  return [...new Float32Array(bytes.slice().buffer)];
}

/** The best.pt that opens, the newest version first. */
async function bestOn(disk: FakeDisk): Promise<KeptState | null> {
  for (const file of await runFiles(disk.copy().directory, BEST)) {
    const read = await openCheckpoint(blobSource(file), signal);
    if (read.ok && isDict(read.checkpoint.root)) return keptFrom(read.checkpoint.root);
  }
  return null;
}

const kinds: FaultKind[] = [
  ...(['QuotaExceededError', 'NotAllowedError'] as const),
  ...(['kill before', 'kill after', 'flip', 'cut'] as const),
];
const faults = fc.option(
  fc.record<Fault>({ at: fc.integer({ min: 0, max: 35 }), kind: fc.constantFrom(...kinds) }),
  {
    freq: 2,
  },
);
const moves = fc.array(
  fc.record({ loss: fc.option(fc.integer({ min: 1, max: 9 }), { freq: 6 }), fault: faults }),
  { minLength: 1, maxLength: 7 },
);

describe('a run folder', () => {
  it('after every fault holds a state that was wholly kept, the newest that was told', async () => {
    let faulted = 0;
    const property = fc.asyncProperty(
      ...[moves, fc.boolean(), fc.nat(2), fc.nat(2)],
      async (list, canMove, every, count) => {
        const facts = factsOf({ every, newest: count, steps: 0 });
        const disk = new FakeDisk({ canMove });
        for (const name of theirs) disk.root.files.set(name, Uint8Array.of(1));
        let { folder, keeper } = await start(disk, facts, null);
        const given = new Map<number, number[]>();
        let told: Kept | null = null;
        let toldBest: Best | null = null;
        let place: Place = nowhere;
        for (const { loss, fault } of list) {
          disk.begin(fault);
          const kept = after(place, loss);
          given.set(kept.step, [...kept.weights.floats.get('w')!]);
          const isTold = await keeper.keep(kept).then(
            () => true,
            () => false,
          );
          if (!isTold) faulted++;
          if (isTold) {
            told = kept;
            toldBest = kept.best;
          }
          place = kept; // in memory, the run goes on whatever the disk said

          const { newest: found } = await newest(disk, facts);
          expect(found?.state.step ?? 0).toBeGreaterThanOrEqual(told?.step ?? 0);
          if (found) {
            expect(await numbers(found.checkpoint.root)).toEqual(given.get(found.state.step));
          }
          if (toldBest) {
            const best = (await bestOn(disk))!.metrics.val_loss!;
            expect(best).toBeLessThanOrEqual(toldBest.value);
          }
          for (const name of theirs) expect(disk.root.files.has(name)).toBe(true);
          if (isTold) await expectWhole(disk, kept, count);

          if (!disk.isDead) continue;
          await folder.close(); // the browser gives a lock back when it ends
          disk.begin();
          ({ folder, keeper } = await start(disk, facts, found?.state ?? null));
          place = found?.state ?? nowhere;
          told = null;
          const left = [...disk.root.files.keys()].filter((name) => !theirs.includes(name));
          expect(left.filter((name) => /\.(tmp|crswap)$/.test(name))).toEqual([]);
        }
        await folder.close();
      },
    );
    await fc.assert(property, { numRuns: 60, seed: 5 });
    expect(faulted).toBeGreaterThan(20);
  });

  /** What must be true of a folder right after a state was kept. */
  async function expectWhole(disk: FakeDisk, kept: Kept, count: number) {
    const { directory } = disk.copy();
    const [run] = await runFiles(directory, RUN);
    const told = readRunFile(await run!.text());
    expect(told.place).toEqual({ epoch: kept.epoch, batch: kept.batch, step: kept.step });
    expect(told.best).toEqual(kept.best);
    if (kept.best) expect((await bestOn(disk))!.metrics.val_loss).toBe(kept.best.value);
    const names = [...disk.root.files.keys()];
    const epochs = names.flatMap((name) => numberedEpoch(name, 'net') ?? []);
    if (count > 0 && told.files && kept.batch === 0)
      expect(epochs.length).toBeLessThanOrEqual(count + 1);
    if (kept.batch > 0) return;
    const [csv] = await runFiles(directory, METRICS);
    const rows = (await csv!.text()).trimEnd().split('\n').slice(1);
    const seen = rows.map((row) => Number(row.split(',')[0]));
    expect(seen).toEqual(Array.from({ length: kept.epoch }, (_, at) => at + 1));
  }

  it('is written by one tab at a time', async () => {
    const disk = new FakeDisk();
    const facts = factsOf({ every: 0, newest: 0, steps: 0 });
    const { folder } = await start(disk, facts, null);
    const second: unknown = await start(disk, facts, null).catch((error: unknown) => error);
    expect(findingOf(second)).toMatchObject({
      code: 'run-in-use',
      message: 'storage: the run disk is in use in another tab',
    });
    await folder.close();
    await (await start(disk, facts, null)).folder.close();
  });

  it.each([
    ['QuotaExceededError', 'storage-full', 'storage: best.pt was not written, the disk is full'],
    ['NotAllowedError', 'storage-permission', 'the permission for its folder was withdrawn'],
    ['NoModificationAllowedError', 'storage-in-use', 'is being written by another tab or program'],
  ] as const)('says what %s means, and goes on', async (kind, code, message) => {
    const disk = new FakeDisk();
    const facts = factsOf({ every: 0, newest: 0, steps: 0 });
    const { folder, keeper } = await start(disk, facts, null);
    disk.begin({ at: 12, kind }); // within best.pt: metrics.csv takes the first ten
    const first = after(nowhere, 5);
    const error: unknown = await keeper.keep(first).catch((reason: unknown) => reason);
    expect(findingOf(error)).toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    });
    disk.begin();
    // The best state of before is not forgotten: this one is worse.
    expect(await keeper.keep(after(first, 7))).toEqual(['last.pt', 'best.pt']);
    expect((await bestOn(disk))!.metrics.val_loss).toBe(5);
    await folder.close();
  });

  it('has no file that was judged and found wanting', async () => {
    const disk = new FakeDisk();
    const facts = factsOf({ every: 0, newest: 0, steps: 0 });
    const { folder, keeper } = await start(disk, facts, null);
    const first = after(nowhere, 5);
    await keeper.keep(first);
    const tree = (kept: Kept) => trainedCheckpoint(opened, bound, kept, { run: facts.id });
    const judged: number[] = [];
    const verify = (root: Value, kept: Kept) => {
      judged.push(kept.step, (root as Dict).size);
      return Promise.reject(new Error('save: read back, the model gives 1 for 2'));
    };
    const files = runFilesOf(folder, { tree, verify, signal });
    const strict = await Keeper.open(files, facts, { before: first });
    await expect(strict.keep(after(first, 7))).rejects.toThrow('the model gives 1 for 2');
    expect(judged).toEqual([2, 8]);
    expect((await newest(disk, facts)).newest?.state.step).toBe(1);
    await folder.close();
  });
});
