/**
 * A trained state as the trees that are saved. A full checkpoint keeps the shape of the one that
 * was opened, with the new model, optimizer, epoch and metrics in their places, so that the script
 * that wrote it can go on from it.
 */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { findOptimizer } from '#lib/checkpoint/optimizer.ts';
import { rewrite } from '#lib/checkpoint/rewrite.ts';
import { tensorFromBytes, type Storage, type Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, isDict, type Value } from '#lib/checkpoint/value.ts';
import type { Binding, StateDictCandidate } from '#lib/architecture/binding.ts';
import type { ParameterSpec } from '#lib/architecture/graph.ts';
import type { ModuleTree } from '#lib/architecture/source.ts';
import type { Weights } from '#lib/runtime/model.ts';
import type { Kept } from '#lib/training/session.ts';

/** A model and the state_dict that it was bound to. */
export interface BoundModel {
  readonly module: ModuleTree;
  readonly binding: Binding;
  readonly stateDict: StateDictCandidate;
}

/**
 * The kept weights as a state_dict. Named as in the file, everything in it keeps its place, also
 * what the model does not use. Named as the model names them, it is what the model's own
 * `state_dict()` would be: without `module.`, in the model's order. What is tied stays tied.
 */
export function trainedWeights(bound: BoundModel, kept: Kept, names: 'file' | 'model'): Dict {
  const { module, binding, stateDict } = bound;
  const original = stateDict.dict;
  const prefix = binding.stripped.join('');
  const state = new Dict(names === 'file' ? original.entries() : [], original.type);
  const storages = new Map<Float32Array, Storage>();
  for (const spec of module.state) {
    if (spec.kind === 'constant') {
      state.delete(spec.key);
      continue;
    }
    const match = binding.matched.get(spec.key);
    const tensor = {
      ...tensorOf(spec, kept.weights),
      parameter: match?.tensor.parameter ?? false,
      requiresGrad: match?.tensor.requiresGrad ?? false,
    };
    const values = kept.weights.floats.get(spec.key);
    if (values) {
      tensor.storage = storages.get(values) ?? tensor.storage;
      storages.set(values, tensor.storage);
    }
    state.set(names === 'file' ? match?.fileKey || prefix + spec.key : spec.key, tensor);
  }
  state.attributes =
    names === 'file' ? original.attributes : withoutPrefix(original.attributes, binding.stripped);
  return state;
}

function tensorOf({ key, shape }: ParameterSpec, { floats, counters }: Weights): Tensor {
  const counter = counters.get(key);
  if (counter !== undefined) {
    return tensorFromBytes(new Uint8Array(BigInt64Array.of(counter).buffer), 'int64', shape);
  }
  const values = floats.get(key);
  if (!values) throw new Error(`save: no value for ${key}`);
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return tensorFromBytes(bytes, 'float32', shape);
}

/** `_metadata` by the names without a prefix, as `consume_prefix_in_state_dict_if_present` has it. */
function withoutPrefix(attributes: Value, prefixes: readonly string[]): Value {
  const metadata = isDict(attributes) ? attributes.get('_metadata') : undefined;
  if (!isDict(attributes) || !isDict(metadata) || prefixes.length === 0) return attributes;
  const prefix = prefixes.join('');
  const stripped = new Dict([], metadata.type);
  for (const [key, value] of metadata.entries()) {
    const path = `${String(key)}.`;
    // The wrappers' own entries (the empty path, `module` of `module._orig_mod`) go.
    if (path.startsWith(prefix)) stripped.set(path.slice(prefix.length, -1), value);
  }
  return new Dict(attributes.entries(), attributes.type).set('_metadata', stripped);
}

/** Keys under which training scripts keep the last loss and the metrics. */
const METRICS = ['metrics', 'metric'];

export function trainedCheckpoint(checkpoint: Checkpoint, bound: BoundModel, kept: Kept): Value {
  const { epoch, loss, accuracy, trainLoss } = kept.metrics;
  const { origin } = bound.stateDict;
  const weights = trainedWeights(bound, kept, 'file');
  const numbers = { train_loss: trainLoss, val_loss: loss, val_accuracy: accuracy };
  if (!isDict(checkpoint.root) || checkpoint.root === origin) {
    return new Dict([
      ['model', weights],
      ['optimizer', kept.optimizer],
      ['epoch', BigInt(epoch)],
      ['metrics', new Dict(Object.entries(numbers))],
      ['versions', new Dict([['weightroom', VERSION]])],
    ]);
  }
  const optimizer = findOptimizer(checkpoint.root)?.dict;
  const root = rewrite(checkpoint.root, {
    before(value) {
      if (value === origin) return weights;
      return value === optimizer ? kept.optimizer : value;
    },
  }) as Dict;
  if (!optimizer) root.set('optimizer', kept.optimizer);
  root.set('epoch', BigInt(epoch));
  if (typeof root.get('loss') === 'number') root.set('loss', trainLoss);
  const metrics = METRICS.find((key) => isDict(root.get(key))) ?? 'metrics';
  merge(root, metrics, numbers);
  merge(root, 'versions', { weightroom: VERSION });
  return root;
}

/** Sets entries of the dict at a key, which is made where there is none. */
function merge(root: Dict, key: string, entries: Record<string, Value>): void {
  const there = root.get(key);
  const dict = isDict(there) ? there : new Dict();
  for (const [name, value] of Object.entries(entries)) dict.set(name, value);
  root.set(key, dict);
}

/** Version of the lab, as package.json has it. */
const VERSION = __APP_VERSION__;
