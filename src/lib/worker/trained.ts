/**
 * A trained state as the trees that are saved. A full checkpoint keeps the shape of the one that
 * was opened, with the new model, optimizer, epoch and metrics in their places, so that the script
 * that wrote it can go on from it.
 */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { findOptimizer } from '#lib/checkpoint/optimizer.ts';
import { tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, isDict, type Value } from '#lib/checkpoint/value.ts';
import type { Binding, StateDictCandidate } from '#lib/architecture/binding.ts';
import type { ModuleTree } from '#lib/architecture/source.ts';
import type { Kept } from '#lib/training/session.ts';

/** A model and the state_dict that it was bound to. */
export interface BoundModel {
  readonly module: ModuleTree;
  readonly binding: Binding;
  readonly stateDict: StateDictCandidate;
}

/**
 * The kept weights as a state_dict: named as in the file, or as the model names them (without
 * `module.`). A tensor that the file ties stays tied.
 */
export function trainedWeights(bound: BoundModel, kept: Kept, names: 'file' | 'model'): Dict {
  const original = bound.stateDict.dict;
  const made = new Map<Float32Array, Tensor>();
  const state = new Dict([], original.type);
  for (const { key, shape, dtype } of bound.module.state) {
    const match = bound.binding.matched.get(key);
    const options = {
      parameter: match?.tensor.parameter,
      requiresGrad: match?.tensor.requiresGrad,
    };
    const name = names === 'file' ? match?.fileKey || key : key;
    const counter = kept.weights.counters.get(key);
    if (counter !== undefined) {
      const bytes = new Uint8Array(BigInt64Array.of(counter).buffer);
      state.set(name, tensorFromBytes(bytes, 'int64', shape, options));
      continue;
    }
    const values = kept.weights.floats.get(key);
    if (!values) throw new Error(`save: no value for ${key} (${dtype})`);
    let tensor = made.get(values);
    if (!tensor) {
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      made.set(values, (tensor = tensorFromBytes(bytes, 'float32', shape, options)));
    }
    state.set(name, tensor);
  }
  state.attributes = original.attributes;
  return state;
}

/** Keys under which training scripts keep the last loss and the metrics. */
const METRICS = ['metrics', 'metric'];

export function trainedCheckpoint(checkpoint: Checkpoint, bound: BoundModel, kept: Kept): Value {
  const { epoch, loss, accuracy, trainLoss } = kept.metrics;
  const { path } = bound.stateDict;
  const weights = trainedWeights(bound, kept, 'file');
  const numbers = { train_loss: trainLoss, val_loss: loss, val_accuracy: accuracy };
  const versions = new Dict([['weightroom', VERSION]]);
  if (!isDict(checkpoint.root) || path.length === 0) {
    return new Dict([
      ['model', weights],
      ['optimizer', kept.optimizer],
      ['epoch', BigInt(epoch)],
      ['metrics', new Dict(Object.entries(numbers))],
      ['versions', versions],
    ]);
  }
  const root = new Dict(replaceAt(checkpoint.root, path, weights).entries(), checkpoint.root.type);
  root.attributes = checkpoint.root.attributes;
  root.set(findOptimizer(root)?.key ?? 'optimizer', kept.optimizer);
  root.set('epoch', BigInt(epoch));
  if (typeof root.get('loss') === 'number') root.set('loss', trainLoss);
  const metrics = METRICS.find((key) => isDict(root.get(key))) ?? 'metrics';
  root.set(metrics, merged(root.get(metrics), numbers));
  root.set('versions', merged(root.get('versions'), { weightroom: VERSION }));
  return root;
}

/** Version of the lab, as package.json has it. */
const VERSION = __APP_VERSION__;

function merged(old: Value | undefined, entries: Record<string, Value>): Dict {
  const dict = new Dict(isDict(old) ? old.entries() : []);
  for (const [key, value] of Object.entries(entries)) dict.set(key, value);
  return dict;
}

/** A copy of `dict` along `path`, with `value` at its end. */
function replaceAt(dict: Dict, [key, ...rest]: readonly string[], value: Value): Dict {
  const copy = new Dict(dict.entries(), dict.type);
  copy.attributes = dict.attributes;
  const inner = copy.get(key!);
  copy.set(key!, rest.length > 0 && isDict(inner) ? replaceAt(inner, rest, value) : value);
  return copy;
}
