/**
 * Exported projects, run by PyTorch: one for each kind of data trains, saves and goes on; one that
 * PyTorch began goes on to the numbers of a loop that did not stop, alone and as two processes.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { editModel } from '#lib/architecture/edit_model.ts';
import { readSource } from '#lib/architecture/source.ts';
import { bind } from '#lib/architecture/binding.ts';
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { toFloat32 } from '#lib/checkpoint/elements.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { Dict, dict, type Value } from '#lib/checkpoint/value.ts';
import { projectFiles, type ProjectParts } from '#lib/export/project.ts';
import type { SourceModel } from '#lib/export/source.ts';
import type { WholeSettings } from '#lib/export/train.ts';
import { memorySink } from '#lib/file/sink.ts';
import { npy } from '#lib/formats/npy.ts';
import { safetensors } from '#lib/formats/safetensors.ts';
import { torch } from '#lib/formats/torch.read.ts';
import type { DataWish } from '#lib/inputs/data/choices.ts';
import type { Dataset } from '#lib/inputs/data/dataset.ts';
import type { DataFile } from '#lib/inputs/data/given.ts';
import { readData } from '#lib/inputs/data/read_data.ts';
import { splitIndices } from '#lib/inputs/data/split.ts';
import type { ImageRecipe } from '#lib/inputs/image.ts';
import { Optimizer } from '#lib/optim/optimizer.ts';
import type { Kept } from '#lib/training/kept.ts';
import { projectCheckpoint } from '#lib/worker/project_checkpoint.ts';
import type { BoundModel } from '#lib/worker/trained.ts';
import { integers, normal } from '#lib/inputs/random.ts';
import {
  arrayOf,
  decodePpm,
  fileOf,
  idxBytes,
  npzFile,
  ppmOf,
  writtenFile,
} from '../../fixtures/data.ts';
import { mlp, projectParts, sourceOf } from '../../fixtures/project.ts';
import { snippets } from './snippets.ts';
import { oldPython, runPython } from '../../python.ts';
import { relativeError, unwrap } from '../lab.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightroom-project-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Tensor {
  readonly shape: number[];
  readonly dtype: string;
  readonly values: number[];
}

interface State {
  readonly error?: string;
  /** Of training and validation: how many, and the first, the second and the last. */
  readonly examples?: readonly { readonly count: number; readonly first: [Tensor, Tensor][] }[];
  readonly files: readonly string[];
  readonly checkpoint?: Readonly<Record<string, unknown>>;
  readonly model?: Readonly<Record<string, unknown>>;
  readonly ema?: Readonly<Record<string, unknown>>;
  /** Keys of the optimizer's parameters; where the examples are asked for. */
  readonly optimized?: readonly string[];
  readonly metrics?: readonly Readonly<Record<string, number>>[];
}

interface Job {
  readonly folder: string;
  readonly argv: readonly string[];
  /** By torchrun, with so many. */
  readonly processes?: number;
  readonly examples?: boolean;
}

interface Judged {
  readonly states: State[];
  readonly started?: {
    readonly metrics: readonly Readonly<Record<string, number>>[];
    readonly weights: Record<string, unknown>;
    readonly ema: Record<string, unknown>;
  };
  readonly lint?: readonly {
    readonly path: string;
    readonly unused: string[];
    readonly undefined: string[];
    readonly long: string[];
    readonly texts: string[];
  }[];
  readonly snippets?: readonly object[];
}

async function judge(wish: object, options: { python?: string } = {}): Promise<Judged> {
  const input = JSON.stringify(wish);
  return JSON.parse(await runPython('tests/judge/project.py', [], { ...options, input })) as Judged;
}

/** Writes a project beside the data and gives its folder. */
function write(name: string, parts: ProjectParts): string {
  const place = join(folder, name);
  for (const { path, content } of projectFiles(parts)) {
    mkdirSync(dirname(join(place, path)), { recursive: true });
    writeFileSync(join(place, path), content as string | Uint8Array);
  }
  return place;
}

const DATA = ['--data', '../data'];

const cnn = (channels: number, outputs: number) =>
  sourceOf(
    `from torch import nn


class Net(nn.Module):
    def __init__(self, channels, outputs):
        super().__init__()
        self.conv = nn.Conv2d(channels, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.head = nn.Linear(4, outputs)

    def forward(self, x):
        return self.head(self.norm(self.conv(x)).relu().mean((2, 3)))
`,
    { channels: String(channels), outputs: String(outputs) },
  );

const places = sourceOf(
  `from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3, padding=1)

    def forward(self, x):
        return {"map": self.conv(x), "input": x}
`,
  {},
);

const gpt = sourceOf(
  `from torch import nn


class Net(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.embed = nn.Embedding(size, 8)
        self.head = nn.Linear(8, size)

    def forward(self, ids):
        return self.head(self.embed(ids)), None
`,
  { size: '15' },
);

/** The classifier of pictures as a folder of files that import each other. */
const spread: SourceModel = {
  ...cnn(1, 4),
  files: [
    {
      name: 'shapes/models/net.py',
      text: `from utils.layers import head
${cnn(1, 4).files[0]!.text.replace('nn.Linear(4, outputs)', 'head(outputs)')}`,
    },
    {
      name: 'shapes/utils/layers.py',
      text: `from torch import nn
from . import sizes


def head(outputs):
    return nn.Linear(sizes.WIDTH, outputs)
`,
    },
    { name: 'shapes/utils/sizes.py', text: 'WIDTH = 4\n' },
    { name: 'data.py', text: 'raise ImportError("not this one")\n' },
  ],
  file: 'shapes/models/net.py',
};

/** Two layers, the first with LoRA and the second for another target. */
const lora = { rank: 2, alpha: 3, dropout: 0 };
const tuned = sourceOf(mlp, { inputs: '5', outputs: '7' });
const edited = unwrap(
  editModel(
    unwrap(
      unwrap(readSource(tuned.files)).source.build(
        'Net',
        new Map([
          ['inputs', 5n],
          ['outputs', 7n],
        ]),
      ),
    ).module,
    {
      ...{ rename: [], fresh: [], strict: true, freeze: ['*.bias'] },
      ...{ head: { module: 'head', outputs: 1 }, lora: { ...lora, targets: ['body'] } },
    },
  ),
);

const picture: ImageRecipe = {
  resize: { side: 'shorter', size: 9 },
  interpolation: 'bilinear',
  crop: { height: 8, width: 8 },
  channels: 'RGB',
  range: '0..1',
  mean: [0.5],
  std: [0.25],
};

/** Reads data as the lab does, writes it for Python, and fits a project to it. */
async function kind(
  files: readonly DataFile[],
  wish: DataWish,
  settings: Partial<WholeSettings>,
  parts: Partial<Omit<ProjectParts, 'settings'>>,
): Promise<{ parts: ProjectParts; dataset: Dataset }> {
  for (const { path, file } of files) {
    mkdirSync(dirname(join(folder, 'data', path)), { recursive: true });
    writeFileSync(join(folder, 'data', path), new Uint8Array(await file.arrayBuffer()));
  }
  const { dataset } = await readData(files, wish, { decodePicture: decodePpm });
  const data = { validationShare: dataset.held ? 0 : 0.25, stratified: false, augmentation: null };
  const split = dataset.held ? null : splitIndices(dataset, { ...data, seed: 7 });
  const all = projectParts({ settings: { data, ...settings }, data: dataset, split, ...parts });
  return { parts: all, dataset };
}

const floats = (seed: number, ...shape: number[]) => {
  const values = normal(
    shape.reduce((product, size) => product * size, 1),
    seed,
  );
  return arrayOf('float32', shape, [...values]);
};
const classes = (seed: number, below: number, ...shape: number[]) => {
  const count = shape.reduce((product, size) => product * size, 1);
  return arrayOf('int64', shape, [...integers(count, below, seed)]);
};
const bytes = (seed: number, count: number) => [...integers(count, 256, seed)];

const points: Record<string, Value> = {
  train_inputs: floats(1, 40, 6),
  train_labels: classes(2, 3, 40),
  test_inputs: floats(3, 8, 6),
  test_labels: classes(4, 3, 8),
};

const rows = [...integers(30, 170, 5)].map((size, at) =>
  [30 + size, at % 3 ? 'Bern' : '"Chur; Ost"', at % 2, (5.5 * size + 165).toFixed(1)].join(';'),
);

const verse = 'the cat sat on the mat, the rat sat on the cat. ';

const kinds = {
  npz: await kind([await npzFile('points.npz', points)], {}, {}, {}),
  npy: await kind(
    [
      await writtenFile('x.npy', npy, arrayOf('uint8', [12, 8, 8, 3], bytes(6, 12 * 8 * 8 * 3))),
      await writtenFile('y.npy', npy, arrayOf('float64', [12, 2])),
    ],
    {},
    {
      loss: { name: 'mse_loss' },
      accumulate: 2,
      keep: { every: 1, newest: 2, steps: 1 },
      name: 'a b [c]',
    },
    {
      source: cnn(3, 2),
      module: { modules: [{ path: 'norm', type: 'BatchNorm2d', arguments: '' }] },
      output: { name: 'output', shape: [2] },
    },
  ),
  pt: await kind(
    [
      await writtenFile(
        'set.pt',
        torch,
        dict({ train: dict({ x: floats(7, 20, 6), y: classes(8, 3, 20) }) }),
      ),
    ],
    {},
    {
      optimizer: {
        name: 'Adam',
        options: { lr: 0.01, betas: [0.8, 0.9] },
        groups: [{ parameters: ['head.*', '!*.bias'], options: { lr: 0.02, weight_decay: 0 } }],
      },
      scheduler: { name: 'ReduceLROnPlateau', options: { patience: 1 }, interval: 'epoch' },
      scaler: { init_scale: 1024, growth_factor: 2, backoff_factor: 0.5, growth_interval: 100 },
      clip: { kind: 'value', clipValue: 0.5 },
      loss: {
        ...{ name: 'cross_entropy', labelSmoothing: 0.1, ignoreIndex: -100 },
        classWeights: [1, 2, 0.5],
      },
    },
    {
      edits: { lora: null, head: { module: 'head', outputs: 3 }, freeze: ['body.*'] },
      optimized: 'trained',
    },
  ),
  safetensors: await kind(
    [
      await writtenFile(
        'places.safetensors',
        safetensors,
        dict({ x: floats(9, 10, 1, 8, 8), y: classes(10, 3, 10, 8, 8) }),
      ),
    ],
    {},
    {},
    { source: places, output: { name: 'map', shape: [3, 8, 8] } },
  ),
  table: await kind(
    [fileOf('homes.csv', ['size "m²";town;lift;price', ...rows].join('\r\n'))],
    { table: { as: { lift: 'categories' } } },
    { loss: { name: 'smooth_l1_loss', beta: 0.5 } },
    {
      source: tuned,
      edits: {
        ...{ head: { module: 'head', outputs: 1 }, freeze: ['*.bias'] },
        lora: { ...lora, paths: edited.lora.map(({ path }) => path) },
      },
      optimized: 'trained',
      output: { name: 'output', shape: [1] },
    },
  ),
  idx: await kind(
    [
      fileOf('train-images-idx3-ubyte', idxBytes(8, [24, 8, 8], bytes(11, 24 * 64))),
      fileOf('train-labels-idx1-ubyte', idxBytes(8, [24], [...integers(24, 4, 12)])),
      fileOf('t10k-images-idx3-ubyte', idxBytes(8, [8, 8, 8], bytes(13, 8 * 64))),
      fileOf('t10k-labels-idx1-ubyte', idxBytes(8, [8], [...integers(8, 4, 14)])),
    ],
    { idx: { mean: 0.1307, std: 0.3081 } },
    { earlyStopping: { patience: 3, minDelta: 0.001 } },
    { source: spread, output: { name: 'output', shape: [4] } },
  ),
  text: await kind(
    [fileOf('verse.txt', verse.repeat(8))],
    { text: { block: 16, stride: 16 } },
    { monitor: { metric: 'accuracy', mode: 'max' } },
    { source: gpt, output: { name: '0', shape: [16, 13] } },
  ),
};

const pictures = ['train/cat', 'train/dög', 'val/dög'].flatMap((place, at) =>
  [...Array(5).keys()].map((number) =>
    fileOf(`pets/${place}/${number}.png`, ppmOf(10 + number, 12 - at, 10 * at + number)),
  ),
);
const jitter = { brightness: 0.2, contrast: 0, saturation: 0.1 };
const images = await kind(
  pictures,
  { images: { picture } },
  {
    data: {
      ...{ validationShare: 0, stratified: false },
      augmentation: { horizontalFlip: true, verticalFlip: false, cropPadding: 1, jitter },
    },
  },
  { source: cnn(3, 2), output: { name: 'output', shape: [2] } },
);

const ofLoop = {
  batchSize: 10,
  seed: 5,
  optimizer: { name: 'AdamW', options: { lr: 0.02 }, groups: [] },
  scheduler: { name: 'OneCycleLR', options: { max_lr: 0.02, total_steps: 12 }, interval: 'step' },
  clip: { kind: 'norm', maxNorm: 0.25, normType: 2 },
  ema: { decay: 0.9 },
} as const;
const alone = write('alone', projectParts({ settings: ofLoop }));
const pair = write('pair', projectParts({ settings: ofLoop }));
writeFileSync(
  join(alone, 'start.json'),
  JSON.stringify({
    ...{ lr: ofLoop.optimizer.options.lr, total_steps: ofLoop.scheduler.options.total_steps },
    ...{ max_norm: ofLoop.clip.maxNorm, decay: ofLoop.ema.decay },
    ...{ seed: ofLoop.seed, batch: ofLoop.batchSize },
  }),
);

/** Names that would end a literal, a line, a comment or a docstring, or be filled in. */
const hostile = [
  '"); import os; os.abort() #',
  "'); os.abort()",
  'a\n    os.abort()\r#',
  '"""\\',
  '\\',
  '_MODEL_ {os} %s #: if x',
  '#: end',
  '\u202e\u2028\0',
  '${os}`',
];
const [quote, single, lines, doc, back, ...others] = hostile as [
  string,
  string,
  string,
  string,
  string,
  ...string[],
];
write(
  'hostile',
  projectParts({
    settings: {
      name: quote,
      keep: { every: 1, newest: 1, steps: 0 },
      optimizer: {
        name: 'SGD',
        options: {},
        groups: [{ parameters: [single], options: { lr: 1 } }],
      },
    },
    edits: { lora: null, head: { module: doc, outputs: 2 }, freeze: [lines, back] },
    data: {
      input: { dtype: 'float32', shape: [2] },
      target: { kind: 'class', classes: hostile, shape: [] },
      recipe: {
        kind: 'table',
        files: hostile,
        held: hostile,
        separator: ',',
        header: true,
        features: hostile.map((name) => ({ name, as: { kind: 'one_hot', categories: hostile } })),
        targets: [{ name: doc, as: { kind: 'class', categories: others } }],
      },
    },
  }),
);

/** A state that the lab has kept, whose best one was better than all that come. */
async function kept(): Promise<Uint8Array> {
  const { source } = projectParts();
  const built = unwrap(readSource(source!.files)).source.build(
    'Net',
    new Map([
      ['inputs', 6n],
      ['outputs', 3n],
    ]),
  );
  const { module } = unwrap(built);
  const weights = module.state.map(
    ({ key, shape }) => [key, floats(key.length, ...shape)] as const,
  );
  const stateDict = new Dict(weights.map(([key, tensor]) => [`module.${key}`, tensor]));
  const root = dict({ net: stateDict });
  const checkpoint: Checkpoint = {
    ...{
      name: 'x.pt',
      format: 'torch',
      root,
      size: 0,
      metadata: new Map(),
      findings: [],
      calls: [],
    },
  };
  const bound: BoundModel = {
    module,
    binding: bind(module.state, stateDict),
    stateDict: { path: ['net'], origin: stateDict, dict: stateDict, score: 1 },
  };
  const entries = weights.map(async ([key, tensor]) => {
    return [key, toFloat32(await readTensor(tensor), 'float32')] as const;
  });
  const optimizer = Optimizer.fresh(
    { name: 'AdamW', options: {}, groups: [] },
    module.state.map(({ key, shape }) => ({ key, shape })),
  );
  const state: Kept = {
    ...{ epoch: 3, batch: 0, step: 15, stale: 1, partial: {}, ema: null, scaler: null },
    metrics: { val_loss: 0.5 },
    best: { epoch: 2, metric: 'val_loss', mode: 'min', value: 1e-9 },
    weights: { floats: new Map(await Promise.all(entries)), counters: new Map() },
    optimizer: await optimizer.stateDict(),
    scheduler: null,
  };
  const sink = memorySink();
  await torch.write!(projectCheckpoint(checkpoint, bound, state), sink, { stem: 'last' });
  return sink.bytes();
}

const ofLab = projectParts({
  settings: {
    optimizer: { name: 'AdamW', options: {}, groups: [] },
    earlyStopping: { patience: 2, minDelta: 0 },
  },
  files: [{ path: 'last.pt', content: await kept() }],
});

const argv = [...DATA, '--epochs', '1'];
/** One epoch, and one more. */
const twice = (name: string, parts: ProjectParts, ...more: string[]): Job[] => {
  const job = { folder: write(name, parts), argv: [...argv, ...more] };
  return [job, { ...job, examples: true }];
};
const {
  started,
  states,
  lint,
  snippets: made,
} = await judge({
  start: [alone, pair],
  jobs: [
    ...Object.entries(kinds).flatMap(([name, { parts }]) => twice(name, parts)),
    { folder: write('lab', ofLab), argv: [...DATA, '--epochs', '5'] },
    { folder: alone, argv: DATA },
    { folder: pair, argv: DATA, processes: 2 },
  ],
  lint: folder,
  snippets: snippets.map(({ given }) => given),
  helpers: join(folder, 'pt', 'train.py'),
});

describe('a project', () => {
  const all = Object.entries(kinds);
  it.each(all.map(([name], at) => [name, at] as const))(
    'of %s trains, saves and goes on',
    (_, at) => expectTwoEpochs(all[at]![1].parts, states.slice(2 * at, 2 * at + 2)),
  );

  it.each(all.map(([name], at) => [name, at] as const))(
    'of %s has the examples that the lab has',
    (_, at) => expectExamples(all[at]![1].dataset, states[2 * at + 1]!),
  );

  it.skipIf(!oldPython)('of pictures does both, in PyTorch 1.13 with torchvision', async () => {
    const { parts, dataset } = images;
    const plain = {
      ...parts,
      settings: { ...parts.settings, data: kinds.npz.parts.settings.data },
    };
    const jobs = [
      ...twice('augmented', parts, '--workers', '0'),
      ...twice('pictures', plain, '--workers', '0'),
    ];
    const { states } = await judge({ jobs }, { python: oldPython! });
    expectTwoEpochs(parts, states.slice(0, 2));
    expectTwoEpochs(plain, states.slice(2));
    await expectExamples(dataset, states[3]!);
    const [same, changed] = [states[3]!, states[1]!].map(({ examples }) => examples![0]!.first);
    expect(changed).not.toEqual(same);
  });

  it('has the keys of the changed model, and trains what the lab would', () => {
    const at = all.findIndex(([name]) => name === 'table');
    const { model, optimized } = states[2 * at + 1]!;
    const { state, parameterOrder } = edited.module;
    expect(Object.keys(model!)).toEqual(state.map(({ key }) => key));
    const trained = state.filter(({ requiresGrad }) => requiresGrad).map(({ key }) => key);
    expect(optimized).toEqual(parameterOrder.filter((key) => trained.includes(key)));
    expect(trained).toEqual(expect.arrayContaining(['head.weight']));
    expect(optimized).toHaveLength(3);
  });

  it('says nothing that it does not use', () => {
    const own = lint!.filter(({ path }) => !path.endsWith('model.py'));
    expect(own.length).toBeGreaterThan(18);
    for (const { path, unused, undefined: missing, long } of own) {
      expect({ unused, missing, long }, path).toEqual({ unused: [], missing: [], long: [] });
    }
  });

  it('lets no name out of its literal', () => {
    const texts = (file: string) => lint!.find(({ path }) => path === `hostile/${file}`)!.texts;
    expect(texts('data.py')).toEqual(expect.arrayContaining(hostile));
    expect(texts('train.py')).toEqual(expect.arrayContaining([quote, single, lines, doc, back]));
  });

  it('goes on from what the lab has kept, and keeps the better state', () => {
    const { error, metrics, files, checkpoint } = states.at(-3)!;
    expect(error).toBeUndefined();
    // One epoch more without progress is the second one, and ends the run.
    expect(metrics!.map(({ epoch, step }) => [epoch, step])).toEqual([[4, 20]]);
    expect(files).not.toContain('best.pt');
    expect(checkpoint).toMatchObject({ run: { best: { epoch: 2, value: 1e-9 }, stale: 2 } });
  });

  it('goes on as a loop that did not stop, alone and as two processes', () => {
    const [one, both] = states.slice(-2) as [State, State];
    const [, ...later] = started!.metrics;
    expect(one.metrics, one.error).toHaveLength(2);
    // PyTorch may abort once its work is done, while its threads end: what counts is what it wrote.
    expect(both.metrics, both.error).toHaveLength(2);
    for (const [row, reference] of later.entries()) {
      for (const [name, value] of Object.entries(reference)) {
        expect(one.metrics![row]![name], name).toBeCloseTo(value, 6);
        expect(both.metrics![row]![name], `${name} of two`).toBeCloseTo(value, 5);
      }
    }
    const flat = (values: unknown) => [values].flat(Infinity) as number[];
    for (const [name, weights] of [
      ['model', started!.weights],
      ['ema', started!.ema],
    ] as const) {
      expect(Object.keys(both[name]!)).toEqual(Object.keys(weights));
      for (const [key, values] of Object.entries(weights)) {
        const error = (state: State) => relativeError(flat(state[name]![key]), flat(values));
        expect(error(one), `${name} ${key}`).toBeLessThan(1e-6);
        expect(error(both), `${name} ${key} of two`).toBeLessThan(1e-4);
      }
    }
  });
});

describe('as a project says it, PyTorch makes', () => {
  it.each(snippets.map(({ name, expected }, at) => [name, expected, made![at]!] as const))(
    '%s',
    (_, expected, own) => expect(own).toMatchObject(expected),
  );
});

/** data.py's examples are those of the lab, bit for bit. */
async function expectExamples(dataset: Dataset, { examples }: State): Promise<void> {
  const isNumbers = dataset.target.kind === 'numbers';
  const dtypes = [dataset.input.dtype, isNumbers ? 'float32' : 'int64'];
  const parts = [dataset.train, dataset.held ?? dataset.train];
  for (const [at, part] of parts.entries()) {
    const own = examples![at]!;
    expect(own.count).toBe(part.count);
    for (const [at, index] of [0, 1, part.count - 1].entries()) {
      const { inputs, targets } = await part.read([index]);
      const values = own.first[at]!;
      expect(values.map(({ dtype }) => dtype)).toEqual(dtypes.map((it) => `torch.${it}`));
      expect(values[0]).toMatchObject({ shape: dataset.input.shape, values: [...inputs] });
      expect(values[1]).toMatchObject({ shape: dataset.target.shape, values: [...targets] });
    }
  }
}

/** One epoch and another one after it, as two runs. */
function expectTwoEpochs({ settings }: ProjectParts, states: readonly State[]): void {
  const [first, second] = states as [State, State];
  expect(first.error ?? second.error).toBeUndefined();
  expect(second.checkpoint).toMatchObject({
    epoch: 2,
    step: second.metrics![1]!.step,
    run: { best: { metric: `val_${settings.monitor.metric}` } },
  });
  expect(second.metrics!.map(({ epoch }) => epoch)).toEqual([1, 2]);
  expect(second.metrics!.flatMap((row) => Object.values(row)).filter(Number.isNaN)).toEqual([]);
  expect(second.files).toContain('best.pt');
  expect(second.files.filter((file) => file.endsWith('.tmp'))).toEqual([]);
}
