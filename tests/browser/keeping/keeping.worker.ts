/** Keeps a run of a made-up model, and finds it again, with the lab's own modules. */
import { bind } from '../../../src/lib/architecture/binding.ts';
import { noEdits } from '../../../src/lib/architecture/edits.ts';
import type { ParameterSpec } from '../../../src/lib/architecture/graph.ts';
import { FindingError, findingOf } from '../../../src/lib/checkpoint/finding.ts';
import { tensorFromBytes } from '../../../src/lib/checkpoint/tensor.ts';
import { dict, isTensor, list, type Dict } from '../../../src/lib/checkpoint/value.ts';
import { readTensor } from '../../../src/lib/checkpoint/read_tensor.ts';
import { blobSource } from '../../../src/lib/file/source.ts';
import { openCheckpoint } from '../../../src/lib/formats/index.ts';
import type { RunFolder } from '../../../src/lib/storage/run_folder.ts';
import { Keeper } from '../../../src/lib/training/keep.ts';
import type { Best, Kept } from '../../../src/lib/training/kept.ts';
import type { RunFacts } from '../../../src/lib/training/run_file.ts';
import { openInThread } from '../../../src/lib/worker/helper.ts';
import { runFilesOf } from '../../../src/lib/worker/keeping.ts';
import { keptFrom } from '../../../src/lib/worker/kept_state.ts';
import { continueRun, copyInputs, noteRun, startRun } from '../../../src/lib/worker/run_place.ts';
import { exportRun, findRuns, openRun, removeRun } from '../../../src/lib/worker/runs.ts';
import { trainedCheckpoint } from '../../../src/lib/worker/trained.ts';

export type Ask =
  /** `folder` is one of OPFS that stands for a picked one; `spoil` what is wrong with it. */
  | { kind: 'start'; floats: number; folder?: string; spoil?: 'no move' | 'no permission' }
  | { kind: 'continue' }
  | { kind: 'keep'; step: number }
  | { kind: 'close' }
  | { kind: 'find' | 'open' | 'export' | 'remove' };

export interface Told {
  readonly error?: { code: string; message: string };
  readonly result?: unknown;
}

const id = 'a-run';
const signal = new AbortController().signal;
let size = 0;
let folder: RunFolder | null = null;
let keeper: Keeper | null = null;

self.onmessage = async ({ data: { id, ask } }: MessageEvent<{ id: number; ask: Ask }>) => {
  try {
    self.postMessage({ id, told: { result: await answer(ask) } });
  } catch (error) {
    const { code, message } = findingOf(error);
    self.postMessage({ id, told: { error: { code, message } } });
  }
};

async function answer(ask: Ask): Promise<unknown> {
  switch (ask.kind) {
    case 'start': {
      size = ask.floats;
      const picked = ask.folder ? await spoilt(ask.folder, ask.spoil) : undefined;
      folder = await startRun({ id, name: 'net', folder: picked, openFile: openInThread });
      const data = new File(['1,2\n3,4\n'], 'data.csv');
      const inputs = await copyInputs(folder, [{ role: 'data', path: 'all/data.csv', file: data }]);
      keeper = await Keeper.open(filesOf(folder), facts(inputs));
      return null;
    }
    case 'continue': {
      const run = await openRun(id, signal);
      const state = await stateOf(run.checkpoint);
      size = state.numbers;
      folder = await continueRun({ id, name: 'net' }, openInThread);
      const files = filesOf(folder);
      keeper = await Keeper.open(files, facts([]), { before: state.kept });
      return state.kept.step;
    }
    case 'keep':
      return keeper!.keep(stateAt(ask.step));
    case 'close':
      await folder!.close();
      return null;
    case 'find':
      return (await findRuns()).map(({ place, ...run }) => ({
        ...run,
        place: place === 'private' ? place : place.folder,
      }));
    case 'open': {
      const run = await openRun(id, signal);
      const { kept, value } = await stateOf(run.checkpoint);
      const data = run.data.files && (await run.data.files[0]!.file.text());
      const { findings, checkpoint } = run;
      return { step: kept.step, value, best: kept.best, file: checkpoint.name, findings, data };
    }
    case 'export': {
      const zip = await exportRun(id, { openFile: openInThread, signal });
      return { name: zip.name, bytes: new Uint8Array(await zip.arrayBuffer()) };
    }
    case 'remove':
      await removeRun(id);
      return null;
    default:
      return ask satisfies never;
  }
}

function filesOf(of: RunFolder) {
  return runFilesOf(of, { tree, note: (run) => noteRun(of, id, run), signal });
}

/** A state whose weights all say its step; it scores best at every third step. */
function stateAt(step: number): Kept {
  const value = step % 3 === 0 ? 1 / step : 2;
  const scored = 3 * Math.floor(step / 3);
  const best: Best = { epoch: scored, metric: 'val_loss', mode: 'min', value: 1 / scored };
  const first: Best = { epoch: 1, metric: 'val_loss', mode: 'min', value: 2 };
  return {
    ...{ epoch: step, batch: 0, step, stale: 0, partial: {}, best: scored === 0 ? first : best },
    metrics: { lr: 0.1, train_loss: value, val_loss: value },
    weights: { floats: new Map([['w', new Float32Array(size).fill(step)]]), counters: new Map() },
    optimizer: dict({ state: dict(), param_groups: list(dict({ lr: 0.1, params: list(0n) })) }),
    ...{ ema: null, scheduler: null, scaler: null },
  };
}

function tree(kept: Kept) {
  const spec: ParameterSpec = {
    ...{ key: 'w', shape: [size], dtype: 'float32', kind: 'parameter', requiresGrad: true },
  };
  const weights = dict({ w: tensorFromBytes(new Uint8Array(4 * size), 'float32', [size]) });
  const bound = {
    module: { state: [spec], name: 'Net' },
    binding: bind([spec], weights),
    stateDict: { path: [], dict: weights, origin: weights, score: 1 },
  } as unknown as Parameters<typeof trainedCheckpoint>[1];
  const opened = { root: weights } as unknown as Parameters<typeof trainedCheckpoint>[0];
  return trainedCheckpoint(opened, bound, kept, { run: id });
}

/** What a file says: its state, and the number that all weights are. */
async function stateOf(file: File) {
  const read = await openCheckpoint(blobSource(file), signal);
  if (!read.ok) throw new FindingError(read.findings[0]!);
  const { root } = read.checkpoint;
  const weight = ((root as Dict).get('model') as Dict).get('w');
  if (!isTensor(weight)) throw new Error('there is no weight');
  const values = new Float32Array((await readTensor(weight)).slice().buffer);
  const isOne = values.every((value) => value === values[0]);
  return { kept: await keptFrom(root), value: isOne ? values[0] : null, numbers: values.length };
}

const facts = (inputs: RunFacts['inputs']): RunFacts => ({
  ...{ id, started: new Date().toISOString(), end: 100, inputs, versions: {} },
  settings: {
    ...{ name: 'net', epochs: 100, batchSize: 4, accumulate: 1, seed: 1 },
    optimizer: { name: 'SGD', options: { lr: 0.1 }, groups: [] },
    ...{ scheduler: null, scaler: null, clip: null, ema: null, earlyStopping: null },
    loss: { name: 'mse_loss' },
    monitor: { metric: 'loss', mode: 'min' },
    data: { validationShare: 0.1, stratified: false, augmentation: null },
    keep: { every: 2, newest: 2, steps: 0 },
  },
  model: {
    ...{ name: 'Net', edits: noEdits, checkpoint: { name: 'start.pt', stateDict: [] } },
    source: { files: [], candidate: 'Net', file: null, arguments: {} },
  },
  data: { name: 'data.csv', fingerprint: 'f', recipe: {} as RunFacts['data']['recipe'], wish: {} },
  backend: { name: 'cpu', adapter: '' },
});

/** A folder that can be picked, and what may be wrong with its files. */
async function spoilt(
  name: string,
  spoil: 'no move' | 'no permission' | undefined,
): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  const picked = await root.getDirectoryHandle(name, { create: true });
  if (!spoil) return picked;
  const prototype = FileSystemFileHandle.prototype as { move?: unknown };
  if (spoil === 'no move') delete prototype.move;
  else {
    let writes = 0;
    const { createWritable } = FileSystemFileHandle.prototype;
    FileSystemFileHandle.prototype.createWritable = function (options) {
      // Some states are written; then the person thinks better of it.
      if (++writes > 11) throw new DOMException('made up for a test', 'NotAllowedError');
      return createWritable.call(this, options);
    };
  }
  return picked;
}
