import { describe, expect, it } from 'vitest';
import { floats } from '../../../tests/fixtures/tiny.ts';
import { bind } from '#lib/architecture/binding.ts';
import type { ParameterSpec } from '#lib/architecture/graph.ts';
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { findingOf } from '#lib/checkpoint/finding.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, dict, isDict, isTensor, list, tuple, type Value } from '#lib/checkpoint/value.ts';
import type { Kept } from '#lib/training/kept.ts';
import { projectCheckpoint } from './project_checkpoint.ts';
import { saveChoices, type SaveSource } from './saves.ts';
import { trainedCheckpoint, trainedWeights, type BoundModel } from './trained.ts';
import type { Workbench } from './workbench.ts';

const spec = (key: string, more: Partial<ParameterSpec> = {}): ParameterSpec => ({
  key,
  shape: [2],
  dtype: 'float32',
  kind: 'parameter',
  requiresGrad: true,
  ...more,
});

/** The model: `a`, `b` tied to `a`, and a counter that old files lack. */
const state = [
  spec('a'),
  spec('b', { tiedTo: 'a' }),
  spec('n.num_batches_tracked', { shape: [], dtype: 'int64', kind: 'buffer' }),
];

const shared = Float32Array.of(8, 9);
const kept: Kept = {
  ...{ epoch: 4, batch: 0, step: 40, stale: 1, partial: {}, best: null },
  metrics: { train_loss: 0.125, val_loss: 0.25, val_accuracy: 0.5 },
  ...{ ema: null, scheduler: null, scaler: null },
  weights: {
    floats: new Map([
      ['a', shared],
      ['b', shared],
    ]),
    counters: new Map([['n.num_batches_tracked', 3n]]),
  },
  optimizer: dict({ state: dict(), param_groups: list(dict({ lr: 0.5, params: list(0n) })) }),
};

const oldOptimizer = () =>
  dict({ state: dict(), param_groups: list(dict({ lr: 0.1, params: list(0n) })) });

/** A state_dict whose order is not the model's, with something that the model does not use. */
function stateDict(prefix = ''): Dict {
  const made = new Dict([], 'OrderedDict');
  made.set(`${prefix}b`, { ...floats([2], 1, 2), parameter: true, requiresGrad: true });
  made.set('unused', floats([1], 7));
  made.set(`${prefix}a`, floats([2], 1, 2));
  const paths = prefix ? ['', 'module', 'module.n'] : ['', 'n'];
  const versions = paths.map((path): [Value, Value] => [path, dict({ version: 1n })]);
  made.attributes = dict({ _metadata: new Dict(versions, 'OrderedDict') });
  return made;
}

const bound = (weights: Dict, path: string[] = ['model']): BoundModel => ({
  module: { state, name: 'Net' } as unknown as BoundModel['module'],
  binding: bind(state, weights),
  stateDict: { path, dict: weights, origin: weights, score: 1 },
});

const checkpointOf = (root: Value): Checkpoint => ({
  name: 'run_last_epoch3_valloss0.5000.pt',
  format: 'torch',
  root,
  size: 0,
  metadata: new Map(),
  findings: [],
  calls: [],
});

const trained = (root: Value, weights: Dict) =>
  trainedCheckpoint(checkpointOf(root), bound(weights), kept) as Dict;
const keys = (value: Value | undefined) => (isDict(value) ? [...value.keys()] : null);
const metadataOf = (value: Dict) => keys((value.attributes as Dict).get('_metadata'));

describe('trained weights', () => {
  it('named as in the file: its order, its prefix, its _metadata, what the model lacks', async () => {
    const weights = stateDict('module.');
    const made = trainedWeights(bound(weights), kept.weights, 'file');
    expect(made.type).toBe('OrderedDict');
    expect(keys(made)).toEqual(['module.b', 'unused', 'module.a', 'module.n.num_batches_tracked']);
    expect(made.attributes).toBe(weights.attributes);
    expect(made.get('unused')).toBe(weights.get('unused'));
    const [a, b] = [made.get('module.a') as Tensor, made.get('module.b') as Tensor];
    expect(a.storage).toBe(b.storage);
    expect(b).toMatchObject({ parameter: true, requiresGrad: true, dtype: 'float32' });
    expect(new Float32Array((await readTensor(b)).slice().buffer)).toEqual(shared);
    expect(await readTensor(made.get('module.n.num_batches_tracked') as Tensor)).toEqual(
      new Uint8Array(BigInt64Array.of(3n).buffer),
    );
    expect(keys(weights)).toEqual(['module.b', 'unused', 'module.a']);
  });

  it('named by the model: its order, without the prefix, also in _metadata', () => {
    const made = trainedWeights(bound(stateDict('module.')), kept.weights, 'model');
    expect(keys(made)).toEqual(['a', 'b', 'n.num_batches_tracked']);
    expect(metadataOf(made)).toEqual(['', 'n']);
    expect(metadataOf(trainedWeights(bound(stateDict()), kept.weights, 'model'))).toEqual([
      '',
      'n',
    ]);
  });

  it('leave out what a program reads beside its state_dict', () => {
    const weights = stateDict();
    weights.set('CONSTANTS.c0', floats([1], 7));
    const constant = { ...state[0]!, key: 'CONSTANTS.c0', kind: 'constant' } as const;
    const module = { state: [...state, constant], name: 'Net' } as unknown as BoundModel['module'];
    for (const names of ['file', 'model'] as const) {
      const made = trainedWeights({ ...bound(weights), module }, kept.weights, names);
      expect(made.has('CONSTANTS.c0')).toBe(false);
      expect(made.has('a')).toBe(true);
    }
  });

  it('stay tied: tensors of their own over one storage, as PyTorch has them', () => {
    const made = trainedWeights(bound(stateDict()), kept.weights, 'model');
    const [a, b] = [made.get('a') as Tensor, made.get('b') as Tensor];
    expect(a).not.toBe(b);
    expect(a.storage).toBe(b.storage);
  });
});

describe('a trained checkpoint', () => {
  it('is the one that was opened, with the new state in its places', () => {
    const weights = stateDict();
    const root = dict({
      args: tuple('x'),
      model: weights,
      optimizer: oldOptimizer(),
      epoch: 3n,
      loss: 0.7,
      metrics: dict({ best: 1n, val_loss: 9 }),
    });
    const made = trained(root, weights);
    expect(keys(made)).toEqual([...keys(root)!, 'step', 'versions', 'run']);
    expect(made.get('optimizer')).toEqual(kept.optimizer);
    expect(keys(made.get('model'))).toEqual(['b', 'unused', 'a', 'n.num_batches_tracked']);
    expect([made.get('epoch'), made.get('loss')]).toEqual([4n, 0.125]);
    expect(made.get('metrics')).toEqual(
      dict({ best: 1n, val_loss: 0.25, train_loss: 0.125, val_accuracy: 0.5 }),
    );
    expect([root.get('epoch'), root.get('model')]).toEqual([3n, weights]);
    expect((root.get('metrics') as Dict).size).toBe(2);
  });

  it('keeps lists of models and optimizers, and keys that are ints', () => {
    const weights = stateDict();
    const root = dict({
      nets: list(new Dict([[0n, weights]]), 'x'),
      optimizer_states: list(oldOptimizer()),
    });
    const made = trained(root, weights);
    expect(made.get('optimizer_states')).toEqual(list(kept.optimizer));
    const [nets, other] = (made.get('nets') as { items: Value[] }).items;
    expect(other).toBe('x');
    expect(keys(nets)).toEqual([0n]);
    expect(keys((nets as Dict).get(0n))).toContain('n.num_batches_tracked');
    expect(made.has('optimizer')).toBe(false);
  });

  it('is made anew where only a state_dict was opened', () => {
    const weights = stateDict();
    expect(keys(trained(weights, weights))).toEqual([
      'model',
      'optimizer',
      'epoch',
      'step',
      'metrics',
      'versions',
      'run',
    ]);
  });

  it('gets an optimizer where it had none', () => {
    const weights = stateDict();
    expect(keys(trained(dict({ model: weights }), weights))).toContain('optimizer');
  });
});

describe('saves', () => {
  const signal = new AbortController().signal;
  const weights = stateDict();
  const root = dict({ model: weights, again: list(weights.get('a')!) });
  const training = { best: null, last: kept };
  const bench = { ...bound(weights), training } as unknown as Workbench;
  const choices = (source: Partial<SaveSource> = {}) =>
    saveChoices({
      checkpoint: checkpointOf(root),
      stateDict: bound(weights).stateDict,
      bench,
      ...source,
    });

  it('have names with epoch and metric, each once', () => {
    expect(choices().map(({ id, name }) => [id, name])).toEqual([
      ['last-checkpoint-pt', 'run_last_epoch4_valloss0.2500.pt'],
      ['last-weights-pt', 'run_last_epoch4_valloss0.2500_weights.pt'],
      ['last-weights-safetensors', 'run_last_epoch4_valloss0.2500.safetensors'],
      ['last-weights-npz', 'run_last_epoch4_valloss0.2500.npz'],
      ['last-checkpoint-pth', 'run_last_epoch4_valloss0.2500.pth'],
      ['last-weights-pth', 'run_last_epoch4_valloss0.2500_weights.pth'],
      ['opened-checkpoint-pt', 'run_last_epoch3_valloss0.5000.pt'],
      ['opened-weights-pt', 'run_last_epoch3_valloss0.5000_weights.pt'],
      ['opened-weights-safetensors', 'run_last_epoch3_valloss0.5000.safetensors'],
      ['opened-weights-npz', 'run_last_epoch3_valloss0.5000.npz'],
      ['opened-checkpoint-pth', 'run_last_epoch3_valloss0.5000.pth'],
      ['opened-weights-pth', 'run_last_epoch3_valloss0.5000_weights.pth'],
      ['opened-weights-safetensors-shards', 'run_last_epoch3_valloss0.5000_shards'],
      ['opened-weights-bin-shards', 'run_last_epoch3_valloss0.5000_shards'],
    ]);
    expect(choices({ checkpoint: null })).toEqual([]);
    expect(choices({ stateDict: null, bench: null }).map(({ id }) => id)).toEqual([
      'opened-checkpoint-pt',
      'opened-checkpoint-pth',
    ]);
  });

  it('are written and read back, tied weights too, in every format', async () => {
    for (const choice of choices()) {
      const saved = await choice.write({ signal, progress: () => {} });
      const name = choice.sharded ? `${choice.name}.zip` : choice.name;
      expect(saved).toMatchObject({ name, verified: true, bytes: saved.file!.size });
    }
  });

  it('write one tensor under two names to safetensors', async () => {
    const one = floats([2], 1, 2);
    const twice = dict({ a: one, b: one });
    const [, , safetensors] = saveChoices({
      checkpoint: checkpointOf(twice),
      stateDict: { path: [], dict: twice, origin: twice, score: 1 },
      bench: null,
    });
    expect(safetensors!.refusal).toBeUndefined();
    const { file } = await safetensors!.write({ signal, progress: () => {} });
    expect(await file!.text()).toContain('"b"');
  });

  it('say which tensor NumPy cannot hold before they are written, and what to do', async () => {
    const half = dict({ w: tensorFromBytes(new Uint8Array(2), 'bfloat16', [1]) });
    const choice = saveChoices({
      checkpoint: checkpointOf(half),
      stateDict: { path: [], dict: half, origin: half, score: 1 },
      bench: null,
    }).find(({ format }) => format === 'npz');
    expect(choice!.refusal?.message).toBe("npz has no bfloat16: ['w']");
    const error: unknown = await choice!
      .write({ signal, progress: () => {} })
      .catch((reason: unknown) => reason);
    expect(findingOf(error)).toMatchObject({
      message: 'npy: "w" has the dtype bfloat16, which NumPy lacks',
      advice: expect.stringContaining('.safetensors') as string,
    });
  });

  it('write a view of few bytes that stands for many', async () => {
    const wide = { ...floats([1], 5), shape: [2 ** 40], strides: [0] };
    const [choice] = saveChoices({
      checkpoint: checkpointOf(dict({ wide })),
      stateDict: null,
      bench: null,
    });
    // Its elements would not fit in memory; the file holds four bytes of them.
    await expect(
      choice!.write({ signal, progress: () => {}, handle: memoryHandle() }),
    ).resolves.toMatchObject({ verified: true });
  });

  it('stop when aborted', async () => {
    const [choice] = choices();
    const aborted = choice!.write({ signal: AbortSignal.abort(), progress: () => {} });
    await expect(aborted).rejects.toThrow('aborted');
  });

  it('say which tensor reads back otherwise', async () => {
    let reads = 0;
    const fickle = tensorFromBytes(new Uint8Array(4), 'float32', [1]);
    const read = () => Promise.resolve(Uint8Array.of(++reads, 0, 0, 0));
    const tensor = { ...fickle, storage: { ...fickle.storage, read } };
    expect(isTensor(tensor)).toBe(true);
    const [choice] = saveChoices({
      checkpoint: checkpointOf(dict({ w: tensor })),
      stateDict: null,
      bench: null,
    });
    await expect(choice!.write({ signal, progress: () => {} })).rejects.toThrow(
      "save: ['w'] reads back differently",
    );
  });
});

/** A file handle in memory. */
function memoryHandle(): FileSystemFileHandle {
  const parts: BlobPart[] = [];
  return {
    name: 'picked.pt',
    createWritable: () =>
      Promise.resolve({
        write: (bytes: Uint8Array) => Promise.resolve(void parts.push(bytes.slice())),
        close: () => Promise.resolve(),
      }),
    getFile: () => Promise.resolve(new File(parts, 'picked.pt')),
  } as unknown as FileSystemFileHandle;
}

describe('the checkpoint of an exported project', () => {
  it('has the names of the model, whatever the opened file has', () => {
    const weights = stateDict('module.');
    const root = dict({ state_dict: weights, optim: oldOptimizer(), current_epoch: 3n });
    const best = { epoch: 4, metric: 'val_loss', mode: 'min', value: 0.25 } as const;
    const whole = { ...kept, best, ema: kept.weights };
    const made = projectCheckpoint(checkpointOf(root), bound(weights), whole) as Dict;
    expect(keys(made)).toEqual([
      ...['model', 'optimizer', 'ema', 'epoch', 'step', 'metrics'],
      ...['best_val_loss', 'versions', 'run'],
    ]);
    for (const part of ['model', 'ema']) {
      const own = made.get(part) as Dict;
      expect(keys(own)).toEqual(state.map(({ key }) => key));
      expect((own.get('a') as Tensor).storage).toBe((own.get('b') as Tensor).storage);
    }
  });
});
