/** What the page exports after a run goes on by `python train.py` from where the run stood. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { RunSettings } from '#lib/training/settings.ts';
import { Lab } from '#lib/worker/lab.ts';
import { tinySettings } from '../../fixtures/tiny.ts';
import { python, runPython } from '../../python.ts';
import { unwrap } from '../lab.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightroom-exported-'));
afterAll(() => rmSync(folder, { recursive: true }));
const context = { signal: new AbortController().signal, progress: () => {} };

const settings: RunSettings = {
  ...tinySettings,
  ...{ name: 'linear', epochs: 2, batchSize: 16 },
  optimizer: { name: 'checkpoint', options: { lr: 0.01 } },
  scheduler: { name: 'CosineAnnealingLR', options: { T_max: 6 }, interval: 'epoch' },
};

it('a run with the optimizer of its checkpoint, and a schedule', async () => {
  const lab = new Lab();
  const file = (name: string) => new File([readFileSync(`public/samples/linear/${name}`)], name);
  const files = [{ name: 'model.py', text: await file('model.py').text() }];
  unwrap(await lab.handlers.open({ file: file('linear.pth') }, context));
  unwrap(await lab.handlers.source({ files }, context));
  unwrap(await lab.handlers.build({ candidate: 'Linear', arguments: {}, stateDict: 0 }, context));
  const data = [{ path: 'data.npz', file: file('data.npz') }];
  unwrap(await lab.handlers.data({ files: data, wish: {} }, context));
  const { summary } = unwrap(await lab.handlers.train({ settings, from: 'checkpoint' }, context));
  const { file: zip } = unwrap(await lab.handlers.project({ which: 'last' }, context));
  const path = join(folder, zip.name);
  writeFileSync(path, new Uint8Array(await zip.arrayBuffer()));
  execFileSync(python, ['-m', 'zipfile', '-e', path, folder]);

  const project = join(folder, 'linear');
  await runPython(join(project, 'train.py'), ['--epochs', '2']);
  const [header = '', ...rows] = readFileSync(join(project, 'metrics.csv'), 'utf8')
    .trim()
    .split('\n');
  const columns = header.split(',');
  const epochs = rows.map((row) =>
    Object.fromEntries(row.split(',').map((cell, at) => [columns[at]!, Number(cell)])),
  );
  const { epoch, metrics } = summary.last!;
  expect(epochs.slice(-2).map((row) => row.epoch)).toEqual([epoch + 1, epoch + 2]);
  // It goes on: near where the run stood, and not where an untrained model is.
  for (const row of epochs.slice(-2)) {
    expect(Math.abs(row.val_loss! - metrics.val_loss!)).toBeLessThan(0.05);
  }
  const rates = epochs.slice(-2).map(({ lr }) => lr!);
  expect(rates[0]!).toBeLessThan(0.01);
  expect(rates[1]!).toBeLessThan(rates[0]!);
}, 60_000);
