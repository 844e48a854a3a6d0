/**
 * `npm run results [-- --text FILE] [--only PART]`: trains the digits sample from scratch and with a
 * fresh head on frozen features, and a character GPT on a text (the fables of the samples, or a
 * file), in the lab on WebGPU and in PyTorch: the same first values, data, order and settings, so
 * that what they reach can be compared. PART of a run's name chooses it. Ends with 1 where the lab
 * is more than 1 % behind. On a GPU in software a step takes seconds, and the whole most of an hour.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { noEdits, type ModelEdits } from '#lib/architecture/edits.ts';
import { splitIndices } from '#lib/inputs/data/split.ts';
import { readData } from '#lib/inputs/data/read_data.ts';
import { permutation } from '#lib/inputs/random.ts';
import type { RunSettings } from '#lib/training/settings.ts';
import { keptFrom } from '#lib/worker/kept_state.ts';
import { Lab } from '#lib/worker/lab.ts';
import type { Calls } from '#lib/worker/protocol.ts';
import { installWebGPU } from './dawn.ts';
import { tinySettings } from './fixtures/tiny.ts';
import { open, unwrap } from './parity/lab.ts';
import { runPython } from './python.ts';

const { text, only } = parseArgs({
  options: {
    text: { type: 'string', default: 'public/samples/fables/fables.txt' },
    only: { type: 'string', default: '' },
  },
}).values;
const context = { signal: new AbortController().signal, progress: () => {} };
const SEED = 3;
const BLOCK = 32;

interface Run {
  readonly name: string;
  readonly sample: 'digits' | 'fables';
  readonly checkpoint: string;
  readonly candidate: string;
  readonly arguments: Readonly<Record<string, number>>;
  readonly edits: ModelEdits;
  readonly data: string;
  readonly settings: RunSettings;
  /** What is compared, and whether more of it is better. */
  readonly by: 'val_accuracy' | 'val_loss';
}

const settings = (epochs: number, batchSize: number, lr: number, validationShare = 0) => ({
  ...tinySettings,
  ...{ name: 'results', epochs, batchSize, seed: SEED },
  optimizer: { name: 'AdamW', options: { lr }, groups: [] } as const,
  data: { validationShare, stratified: false, augmentation: null },
});
const digits = {
  sample: 'digits',
  candidate: 'DigitsCNN',
  checkpoint: 'public/samples/digits/last.pth',
  data: 'public/samples/digits/digits.npz',
  by: 'val_accuracy',
} as const;
const characters = new Set(readFileSync(text, 'utf8')).size;
const all: readonly Run[] = [
  {
    ...digits,
    name: 'digits from scratch',
    arguments: { dropout: 0 },
    edits: { ...noEdits, fresh: ['*'] },
    settings: settings(2, 64, 1e-3),
  },
  {
    ...digits,
    name: 'digits, a fresh head on frozen features',
    arguments: { dropout: 0 },
    edits: { ...noEdits, head: { module: 'fc', outputs: 10 }, freeze: ['*', '!fc.*'] },
    settings: settings(2, 64, 1e-3),
  },
  {
    name: `a character GPT on ${basename(text)}`,
    sample: 'fables',
    checkpoint: 'public/samples/fables/fables.pt',
    candidate: 'CharacterGPT',
    data: text,
    by: 'val_loss',
    arguments: { vocabulary: characters, window: 64, width: 48, heads: 4, layers: 2 },
    edits: { ...noEdits, fresh: ['*'], strict: false },
    settings: settings(3, 16, 2e-3, 0.1),
  },
  {
    ...digits,
    name: 'digits from scratch, dropout 0.25',
    arguments: { dropout: 0.25 },
    edits: { ...noEdits, fresh: ['*'] },
    settings: settings(2, 64, 1e-3),
  },
];
const runs = all.filter(({ name }) => name.includes(only));

const problem = await installWebGPU();
if (problem) throw new Error(problem);
const folder = mkdtempSync(join(tmpdir(), 'weightroom-results-'));
const file = (path: string) => new File([readFileSync(path)], basename(path));
const wish = { text: { block: BLOCK, stride: BLOCK } };
try {
  const plan = join(folder, 'plan.json');
  writeFileSync(plan, JSON.stringify(await Promise.all(runs.map(planOf))));
  const lines = (await runPython('tests/judge/results.py', [plan])).trim().split('\n');
  const judged = lines.map((line) => JSON.parse(line) as { epochs: Record<string, number>[] });
  let isGood = true;
  for (const [at, run] of runs.entries())
    isGood = (await compare(run, judged[at]!.epochs)) && isGood;
  process.exitCode = isGood ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}

/** A run as the judge is told of it, with the lab's own order of the examples. */
async function planOf({ name, sample, checkpoint, candidate, edits, data, settings, ...run }: Run) {
  const { dataset } = await readData([{ path: basename(data), file: file(data) }], wish, {});
  const { batchSize, epochs, seed } = settings;
  const split = settings.data.validationShare
    ? splitIndices(dataset, { ...settings.data, seed })
    : null;
  const count = split?.train.length ?? dataset.train.count;
  // Epochs are counted on from the checkpoint's, and with them the order of the examples.
  const { epoch: first } = await keptFrom((await open(checkpoint)).root);
  const order = Array.from({ length: epochs }, (_, epoch) => {
    const drawn = permutation(count, seed * 10_007 + first + epoch + 1);
    return Array.from(drawn, (index) => split?.train[index] ?? index);
  });
  return {
    ...{ name, candidate, order, seed, batch: batchSize, arguments: run.arguments },
    source: resolve(`public/samples/${sample}/model.py`),
    checkpoint: edits.fresh.length > 0 ? null : resolve(checkpoint),
    head: edits.head,
    freeze_but: edits.freeze.length > 0 ? `${edits.head!.module}.` : null,
    data: sample === 'digits' ? { npz: resolve(data) } : { text: resolve(data), block: BLOCK },
    held: split && Array.from(split.validation),
    lr: settings.optimizer.options.lr,
  };
}

async function compare(run: Run, judged: readonly Record<string, number>[]): Promise<boolean> {
  const started = performance.now();
  const lab = new Lab();
  const source = `public/samples/${run.sample}/model.py`;
  const files = [{ name: 'model.py', text: readFileSync(source, 'utf8') }];
  unwrap(await lab.handlers.open({ file: file(run.checkpoint) }, context));
  unwrap(await lab.handlers.source({ files }, context));
  const args: Calls['build']['args'] = {
    ...{ candidate: run.candidate, stateDict: 0, edits: run.edits },
    arguments: Object.fromEntries(
      Object.entries(run.arguments).map(([key, value]) => [key, String(value)]),
    ),
  };
  unwrap(await lab.handlers.build(args, context));
  const data = [{ path: basename(run.data), file: file(run.data) }];
  unwrap(await lab.handlers.data({ files: data, wish }, context));
  const epochs: Readonly<Record<string, number>>[] = [];
  const progress: (told: Calls['train']['progress']) => void = ({ validation }) =>
    epochs.push(...validation.map(({ metrics }) => metrics));
  const { settings } = run;
  unwrap(await lab.handlers.train({ settings, from: 'checkpoint' }, { ...context, progress }));
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`${run.name} (${seconds} s)`);
  for (const [at, judge] of judged.entries()) {
    const own = epochs[at]!;
    console.log(
      `  epoch ${at + 1}: loss ${own.val_loss!.toFixed(5)}, PyTorch ${judge.val_loss!.toFixed(5)}; ` +
        `accuracy ${own.val_accuracy!.toFixed(4)}, PyTorch ${judge.val_accuracy!.toFixed(4)}`,
    );
  }
  const [reached, wanted] = [epochs.at(-1)![run.by]!, judged.at(-1)![run.by]!];
  return run.by === 'val_accuracy' ? reached >= wanted - 0.01 : reached <= wanted * 1.01;
}
