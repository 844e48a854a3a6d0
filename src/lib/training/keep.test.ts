import { describe, expect, it } from 'vitest';
import { tinySettings } from '../../../tests/fixtures/tiny.ts';
import { noEdits } from '#lib/architecture/edits.ts';
import { dict } from '#lib/checkpoint/value.ts';
import { Keeper, metricsCsv, numberedEpoch, numberedName, type RunFiles } from './keep.ts';
import type { Kept } from './kept.ts';
import { readRunFile, type RunFacts } from './run_file.ts';

const facts = (keep: RunFacts['settings']['keep']): RunFacts => ({
  ...{ id: 'a-run', started: '2026-01-01T00:00:00.000Z', end: 9, inputs: [], versions: {} },
  settings: { ...tinySettings, keep },
  model: {
    ...{ name: 'Net', source: null, edits: noEdits },
    checkpoint: { name: 'start.pt', stateDict: ['model'] },
  },
  data: {
    ...{ name: 'data.npz', fingerprint: 'f', wish: {} },
    recipe: {} as RunFacts['data']['recipe'],
  },
  backend: { name: 'cpu', adapter: '' },
});

/** A disk that keeps texts, and of checkpoints their epoch and batch. */
function fakeFiles() {
  const files = new Map<string, string>();
  const written: string[] = [];
  const write = (name: string, text: string) => {
    written.push(name);
    files.set(name, text);
    return Promise.resolve();
  };
  const disk: RunFiles = {
    writeCheckpoint: (name, { epoch, batch }) => write(name, `${epoch}.${batch}`),
    writeText: write,
    readTexts: (name) => Promise.resolve(files.has(name) ? [files.get(name)!] : []),
    names: () => Promise.resolve([...files.keys()]),
    remove: (name) => Promise.resolve(void files.delete(name)),
  };
  return { disk, files, written };
}

const kept = (epoch: number, loss: number, best: number, more: Partial<Kept> = {}): Kept => ({
  ...{ epoch, batch: 0, step: 10 * epoch, stale: 0, partial: {} },
  metrics: { train_loss: loss / 2, val_loss: loss, lr: 0.1 },
  best: { epoch: best, metric: 'val_loss', mode: 'min', value: loss },
  weights: { floats: new Map(), counters: new Map() },
  ...{ ema: null, optimizer: dict(), scheduler: null, scaler: null },
  ...more,
});

describe('what a run leaves', () => {
  it('is written in an order that can be cut off anywhere', async () => {
    const { disk, files, written } = fakeFiles();
    const keeper = await Keeper.open(disk, facts({ every: 2, newest: 2, steps: 0 }));
    expect(written).toEqual(['run.json']);
    expect(readRunFile(files.get('run.json')!)).toMatchObject({ state: 'running', place: null });
    written.length = 0;
    expect(await keeper.keep(kept(1, 0.5, 1))).toEqual(['last.pt', 'best.pt']);
    expect(written).toEqual(['metrics.csv', 'best.pt', 'last.pt', 'run.json']);
    written.length = 0;
    const numbered = 'tiny_epoch2_valloss0.7500.pt';
    expect(await keeper.keep(kept(2, 0.75, 1))).toEqual(['last.pt', numbered]);
    expect(written).toEqual(['metrics.csv', numbered, 'last.pt', 'run.json']);
    written.length = 0;
    const within = kept(2, 0.75, 1, { batch: 3, step: 23, metrics: {} });
    expect(await keeper.keep(within)).toEqual(['last.pt']);
    expect(written).toEqual(['last.pt', 'run.json']);
    expect(await keeper.end(within)).toEqual([]);
    expect(readRunFile(files.get('run.json')!)).toMatchObject({
      ...{ state: 'ended', place: { epoch: 2, batch: 3, step: 23 } },
      files: { 'best.pt': { epoch: 1 }, [numbered]: { epoch: 2 }, 'last.pt': { step: 23 } },
    });
  });

  it('holds the newest numbered states, and nothing else is pruned', async () => {
    const { disk, files } = fakeFiles();
    const theirs = ['tiny_epoch1.pt', 'tiny2_epoch1_valloss0.5000.pt', 'notes_epoch1.txt'];
    for (const name of theirs) files.set(name, '');
    const keeper = await Keeper.open(disk, facts({ every: 1, newest: 2, steps: 0 }));
    for (const epoch of [1, 2, 9, 10, 11]) await keeper.keep(kept(epoch, 0.5, 1));
    expect([...files.keys()].filter((name) => name.startsWith('tiny_epoch')).sort()).toEqual([
      'tiny_epoch1.pt',
      'tiny_epoch10_valloss0.5000.pt',
      'tiny_epoch11_valloss0.5000.pt',
    ]);
    expect(theirs.every((name) => files.has(name))).toBe(true);
    // A run that was set back keeps what it has just written.
    await keeper.keep(kept(3, 0.5, 1));
    expect(files.has('tiny_epoch3_valloss0.5000.pt')).toBe(true);
    const { files: told } = readRunFile(files.get('run.json')!);
    expect(Object.keys(told)).toContain('tiny_epoch3_valloss0.5000.pt');
  });

  it('has one row for each epoch, also after a run was set back', async () => {
    const { disk, files } = fakeFiles();
    const keeper = await Keeper.open(disk, facts({ every: 0, newest: 0, steps: 0 }));
    for (const epoch of [1, 2, 3]) await keeper.keep(kept(epoch, epoch / 4, 1));
    const before = kept(2, 0.5, 1);
    const again = await Keeper.open(disk, facts({ every: 0, newest: 0, steps: 0 }), { before });
    await again.keep(kept(3, 0.875, 1));
    expect(files.get('metrics.csv')).toBe(
      'epoch,step,lr,train_loss,val_loss\n1,10,0.1,0.125,0.25\n2,20,0.1,0.25,0.5\n3,30,0.1,0.4375,0.875\n',
    );
  });

  it('writes numbers as Python reads them, and leaves out what is not there', () => {
    const rows: Parameters<typeof metricsCsv>[0] = [
      { epoch: 1, step: 2, metrics: { val_loss: NaN, train_loss: -Infinity } },
      { epoch: 2, step: 4, metrics: { val_accuracy: 1e-7, lr: 1 / 3 } },
    ];
    expect(metricsCsv(rows)).toBe(
      'epoch,step,lr,train_loss,val_loss,val_accuracy\n1,2,,-inf,nan,\n2,4,0.3333333333333333,,,1e-7\n',
    );
  });

  it.each([
    [{ val_loss: 0.08215 }, 'net_epoch3_valloss0.0822.pt'],
    [{ val_loss: -12.5 }, 'net_epoch3_valloss-12.5000.pt'],
    [{ val_loss: 1e30 }, 'net_epoch3_valloss1e+30.pt'],
    [{ val_loss: NaN }, 'net_epoch3_vallossnan.pt'],
    [{}, 'net_epoch3_vallossnan.pt'],
  ])('is named for %j: %s, and known by that', (metrics, name) => {
    const state = kept(3, 0, 1, { metrics });
    expect(numberedName('net', state, { metric: 'loss', mode: 'min' })).toBe(name);
    expect(numberedEpoch(name, 'net')).toBe(3);
    expect(numberedEpoch(name, 'ne')).toBeNull();
  });
});

describe('run.json', () => {
  it.each([
    ['', 'no JSON'],
    ['[]', 'the whole is [], expected an object'],
    ['{"version": 2}', 'version is 2'],
    ['{"version": 1, "id": "../../x"}', 'id is "../../x"'],
    ['{"version": 1, "id": "x", "started": 5}', 'started is 5, expected a string'],
  ])('is refused: %s', (text, message) => expect(() => readRunFile(text)).toThrow(message));
});
