/**
 * Every file that the lab offers to save, after a run on each sample, taken up by PyTorch: loaded
 * with weights_only, strictly into the model and the optimizer, and stepped once more.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Dict } from '#lib/checkpoint/value.ts';
import { shardKinds, type ShardKind } from '#lib/formats/sharded.write.ts';
import type { RunSettings } from '#lib/training/settings.ts';
import type { SaveChoice } from '#lib/worker/protocol.ts';
import { Lab } from '#lib/worker/lab.ts';
import { describe as describeValue } from '../fixtures/describe.ts';
import { tinySettings } from '../fixtures/tiny.ts';
import { oldPython, python, runPython } from '../python.ts';
import { judgeWritten, load } from './judge.ts';
import { open, unwrap } from './lab.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightroom-saves-'));
afterAll(() => rmSync(folder, { recursive: true }));
const context = { signal: new AbortController().signal, progress: () => {} };

const samples = [
  { id: 'mlp', checkpoint: 'mlp.pt', data: 'data.npz', model: 'model', optimizer: 'SGD' },
  { id: 'linear', checkpoint: 'linear.pth', data: 'data.npz', model: 'Linear', optimizer: 'Adam' },
  {
    id: 'digits',
    checkpoint: 'last.pth',
    data: 'few.npz',
    model: 'DigitsCNN',
    optimizer: 'AdamW',
  },
] as const;

/** Small enough that each sample needs several. */
const SHARD_SIZE = 60;

// The digits would train for minutes on the fallback backend: a few of them do.
const few = `
import numpy as np, sys
data = np.load("public/samples/digits/digits.npz")
np.savez_compressed(sys.argv[1], **{key: data[key][:40] for key in data})
`;
writeFileSync(join(folder, 'few.py'), few);
await runPython(join(folder, 'few.py'), [join(folder, 'few.npz')]);

async function trainAndSave(sample: (typeof samples)[number]) {
  const at = (name: string) =>
    name === 'few.npz' ? join(folder, name) : `public/samples/${sample.id}/${name}`;
  const file = (name: string) => new File([readFileSync(at(name))], name);
  const lab = new Lab();
  unwrap(await lab.handlers.open({ file: file(sample.checkpoint) }, context));
  const source = [{ name: 'model.py', text: readFileSync(at('model.py'), 'utf8') }];
  unwrap(await lab.handlers.source({ files: source }, context));
  const args = { candidate: sample.model, arguments: {}, stateDict: 0 };
  unwrap(await lab.handlers.build(args, context));
  const files = [{ path: sample.data, file: file(sample.data) }];
  unwrap(await lab.handlers.data({ files, wish: {} }, context));
  const settings: RunSettings = {
    ...tinySettings,
    ...{ name: sample.id, epochs: 1, batchSize: 16, seed: 3 },
    optimizer: { name: 'checkpoint', options: { lr: 0.003, weight_decay: 0.001 } },
  };
  const { summary } = unwrap(await lab.handlers.train({ settings, from: 'checkpoint' }, context));
  const all: { choice: SaveChoice; path: string }[] = [];
  for (const choice of await lab.handlers.saves({}, context)) {
    const args = { choice: choice.id, ...(choice.sharded && { shardSize: SHARD_SIZE }) };
    const result = unwrap(await lab.handlers.save(args, context));
    const path = join(folder, `${sample.id}-${choice.id}-${result.saved.name}`);
    writeFileSync(path, new Uint8Array(await result.saved.file!.arrayBuffer()));
    all.push({ choice, path });
  }
  const shards = all.filter(({ choice }) => choice.sharded);
  const saved = all.filter(({ choice }) => !choice.sharded);
  return { summary, saved, shards, original: at(sample.checkpoint), source: at('model.py') };
}

describe.each(samples)('$id', async (sample) => {
  const { summary, saved, shards, original, source } = await trainAndSave(sample);

  it('offers best, last and the opened file in every form', () => {
    const files = ['pt', 'safetensors', 'npz', 'pth'].map((format) => `weights-${format}`);
    const forms = ['checkpoint-pt', ...files.toSpliced(3, 0, 'checkpoint-pth')];
    expect([...saved, ...shards].map(({ choice }) => choice.id)).toEqual([
      ...['best', 'last', 'opened'].flatMap((which) => forms.map((form) => `${which}-${form}`)),
      ...['opened-weights-safetensors-shards', 'opened-weights-bin-shards'],
    ]);
    const epoch = summary.last!.epoch;
    for (const { choice } of saved.filter(({ choice }) => choice.which !== 'opened')) {
      expect(choice.name).toContain(
        `_epoch${epoch}_valloss${summary.last!.metrics.val_loss!.toFixed(4)}`,
      );
    }
  });

  it('gives files that weights_only takes, equal to what the lab reads in them', async () => {
    const judged = await judgeWritten(saved.map(({ path }) => path));
    for (const [index, { choice, path }] of saved.entries()) {
      const { root, error, weights_only, damaged, mapped } = judged[index]!;
      expect(error, choice.name).toBeUndefined();
      expect([weights_only, damaged ?? null, mapped ?? null]).toEqual([true, null, null]);
      const layout = choice.format === 'pt' || choice.format === 'pth';
      const own = await describeValue((await open(path)).root, { layout });
      if (layout) expect(own).toEqual(root);
      else expect(sorted(own)).toEqual(sorted(root));
    }
  });

  it.runIf(oldPython)('gives weights that PyTorch 1.13 takes', async () => {
    const weights = saved.filter(
      ({ choice }) => choice.contents === 'weights' && /^pth?$/.test(choice.format),
    );
    expect(weights).toHaveLength(6);
    for (const { error } of await load(
      weights.map(({ path }) => path),
      oldPython!,
    )) {
      expect(error).toBeUndefined();
    }
  });

  it('writes the opened file anew with nothing changed', async () => {
    const anew = saved.filter(({ choice }) => /^opened-checkpoint-pth?$/.test(choice.id));
    expect(anew).toHaveLength(2);
    const [before, ...after] = await load([original, ...anew.map(({ path }) => path)]);
    expect(after).toEqual([before, before]);
  });

  it('gives shards in a zip that unpacks, joined by their index to the weights', async () => {
    const weights = saved.find(({ choice }) => choice.id === 'opened-weights-pt')!;
    const { root } = await open(weights.path);
    const cases = shards.map(({ choice, path }) => {
      const place = join(folder, choice.id);
      const unzip = spawnSync(python, ['-m', 'zipfile', '-e', path, place]);
      expect(unzip.status).toBe(0);
      const { stem, extension } = shardKinds[choice.format as ShardKind];
      const keys = [...(root as Dict).keys()];
      return { folder: join(place, choice.name), stem, extension, size: SHARD_SIZE, keys };
    });
    const input = JSON.stringify(cases);
    const lines = (await runPython('tests/judge/sharded.py', [], { input })).trim().split('\n');
    const expected = await describeValue(root, { layout: false });
    for (const line of lines) {
      const judged = JSON.parse(line) as { root: unknown; files: number; error?: string };
      expect(judged.error).toBeUndefined();
      expect(judged.files).toBeGreaterThan(1);
      expect(elements(judged.root)).toEqual(elements(expected));
    }
  });

  it('lets a training script go on', async () => {
    const { path } = saved.find(({ choice }) => choice.id === 'last-checkpoint-pt')!;
    const arguments_ = [source, sample.model, sample.optimizer, path];
    const resumed = JSON.parse(await runPython('tests/judge/resume.py', arguments_)) as {
      keys: string[];
      epoch: number;
      loss: number;
      steps: number[];
      groups: Record<string, unknown>[];
      metadata: boolean;
    };
    const root = (await open(original)).root;
    const keys = [...(root as Dict).keys()];
    expect(resumed.keys.slice(0, keys.length)).toEqual(keys);
    expect(resumed.epoch).toBe(summary.last!.epoch);
    expect(Number.isFinite(resumed.loss)).toBe(true);
    expect(resumed.groups).toMatchObject([{ lr: 0.003, weight_decay: 0.001 }]);
    expect(resumed.metadata).toBe(true);
    if (sample.optimizer !== 'SGD') expect(resumed.steps).toHaveLength(1);

    const weights = saved.find(({ choice }) => choice.id === 'best-weights-pt')!;
    await runPython('tests/judge/resume.py', [
      source,
      sample.model,
      sample.optimizer,
      weights.path,
    ]);
  });
});

/** What a shard has of each tensor. */
function elements(description: unknown): unknown[] {
  const pairs = (description as { dict: [unknown, { tensor: Record<string, unknown> }][] }).dict;
  return pairs.map(([key, { tensor }]) => [key, tensor['dtype'], tensor['shape'], tensor['hex']]);
}

/** safetensors has an order of its own. */
function sorted(description: unknown): unknown[] {
  const pairs = (description as { dict: [{ str: string }, unknown][] }).dict;
  return pairs.toSorted(([a], [b]) => (a.str < b.str ? -1 : 1));
}
