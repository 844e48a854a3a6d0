/**
 * A trained state as the trees that are saved. A full checkpoint keeps the shape of the one that
 * was opened, with the new model, optimizer, epoch and metrics in their places, so that the script
 * that wrote it can go on from it.
 */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { rewrite } from '#lib/checkpoint/rewrite.ts';
import { tensorFromBytes, type Storage, type Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, dict, isDict, type ObjectValue, type Value } from '#lib/checkpoint/value.ts';
import { bind, type Binding, type StateDictCandidate } from '#lib/architecture/binding.ts';
import type { ParameterSpec } from '#lib/architecture/graph.ts';
import type { ModuleTree } from '#lib/architecture/source.ts';
import type { Weights } from '#lib/runtime/model.ts';
import { nameBest, writeBest } from '#lib/training/best.ts';
import type { Kept, Metrics } from '#lib/training/kept.ts';
import type { RunSettings } from '#lib/training/settings.ts';
import { COUNTS, findParts, isCount, METRICS, plainValue, type PartName } from './kept_state.ts';

/** A model and the state_dict that it was bound to. */
export interface BoundModel {
  readonly module: ModuleTree;
  readonly binding: Binding;
  readonly stateDict: StateDictCandidate;
}

/**
 * Weights as a state_dict. Named as in the file, everything in it keeps its place, also what the
 * model does not use. Named as the model names them, it is what the model's own `state_dict()`
 * would be: without `module.`, in the model's order. What is tied stays tied.
 */
export function trainedWeights(bound: BoundModel, weights: Weights, names: 'file' | 'model'): Dict {
  const { module, binding, stateDict } = bound;
  const original = stateDict.dict;
  const asInFile = names === 'file' && hasNamesOfFile(module, binding);
  const prefix = binding.stripped.join('');
  const state = new Dict(asInFile ? original.entries() : [], original.type);
  const storages = new Map<Float32Array, Storage>();
  for (const spec of module.state) {
    if (spec.kind === 'constant') {
      state.delete(spec.key);
      continue;
    }
    const match = binding.matched.get(spec.key);
    const tensor = {
      ...tensorOf(spec, weights, match?.tensor),
      parameter: match?.tensor.parameter ?? false,
      requiresGrad: match?.tensor.requiresGrad ?? false,
    };
    const values = weights.floats.get(spec.key);
    if (values) {
      tensor.storage = storages.get(values) ?? tensor.storage;
      storages.set(values, tensor.storage);
    }
    // A tied key may be matched to the one that it is tied to.
    const isOwn = match && isEnd(match.fileKey, spec.key);
    const fileKey = isOwn ? match.fileKey : prefix + spec.key;
    state.set(asInFile ? fileKey : spec.key, tensor);
  }
  state.attributes = asInFile
    ? original.attributes
    : withoutPrefix(original.attributes, binding.stripped);
  return state;
}

/**
 * Whether the model is the one of the file. One that was edited (a new head, LoRA, renamed keys)
 * has a state_dict of its own, which says nothing of the file's names. Of tied keys, the file may
 * have any.
 */
function hasNamesOfFile({ state }: ModuleTree, { matched, mismatched }: Binding): boolean {
  const tied = new Set(state.flatMap(({ key, tiedTo }) => (tiedTo ? [key, tiedTo] : [])));
  const isNamed = ({ key }: ParameterSpec) => {
    const fileKey = matched.get(key)?.fileKey;
    return fileKey === '' || (fileKey !== undefined && isEnd(fileKey, key));
  };
  return mismatched.length === 0 && state.every((spec) => tied.has(spec.key) || isNamed(spec));
}

/** Whether a key is the end of another one, from a dot on. */
function isEnd(whole: string, key: string): boolean {
  return whole === key || whole.endsWith(`.${key}`);
}

/** A weight's new value; integers, which no pass changes, are the file's. */
function tensorOf(
  { key, shape }: ParameterSpec,
  { floats, counters }: Weights,
  before: Tensor | undefined,
): Tensor {
  const counter = counters.get(key);
  if (counter !== undefined) {
    return tensorFromBytes(new Uint8Array(BigInt64Array.of(counter).buffer), 'int64', shape);
  }
  const values = floats.get(key);
  if (!values) {
    if (before) return before;
    throw new Error(`save: no value for ${key}`);
  }
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

/** What a checkpoint tells beside the kept state itself. */
export interface KeptWith {
  readonly settings?: RunSettings;
  /** Names the run that wrote it. */
  readonly run?: string;
}

/**
 * The kept state as a checkpoint: {model, optimizer, scheduler, scaler, ema, epoch, step, metrics,
 * best, versions, run}, each by the key that the opened file has for it. Plain data and tensors:
 * `torch.load(weights_only=True)` takes it.
 */
export function trainedCheckpoint(
  checkpoint: Checkpoint,
  bound: BoundModel,
  kept: Kept,
  { settings, run }: KeptWith = {},
): Value {
  const { root: opened } = checkpoint;
  const { origin } = bound.stateDict;
  const weights = trainedWeights(bound, kept.weights, 'file');
  const parts = findParts(opened);
  const given: Record<PartName, Value> = {
    optimizer: kept.optimizer,
    scheduler: kept.scheduler,
    scaler: kept.scaler,
    ema: kept.ema && averagedWeights(bound, kept.ema, parts.get('ema')?.dict),
  };
  // What the run does without is None: whoever resumes would take the old state for this one's.
  const replaced = new Map<Value, Value>([[origin, weights]]);
  for (const [name, { dict }] of parts) if (dict) replaced.set(dict, given[name]);
  let isPlaced = false;
  const before = (it: ObjectValue): Value => {
    isPlaced ||= it === origin;
    return replaced.has(it) ? replaced.get(it)! : it;
  };
  const isWhole = isDict(opened) && opened !== origin;
  const root = isWhole ? (rewrite(opened, { before }) as Dict) : new Dict();
  // A model that was pieced together from a program's parts lies nowhere in the file as it is.
  if (!isPlaced) root.set(freeKey(root, 'model'), weights);
  for (const [name, value] of Object.entries(given) as [PartName, Value][]) {
    const part = parts.get(name);
    if (value && !part?.dict) root.set(part?.key ?? freeKey(root, name), value);
  }
  root.set(COUNTS.epoch.find((key) => isCount(root.get(key))) ?? 'epoch', BigInt(kept.epoch));
  root.set(COUNTS.step.find((key) => isCount(root.get(key))) ?? 'step', BigInt(kept.step));
  setMetrics(root, kept.metrics);
  if (kept.best) nameBest(root, kept.best);
  merge(root, 'versions', { weightroom: VERSION });
  root.set(
    'run',
    dict({
      ...(run && { id: run }),
      batch: BigInt(kept.batch),
      stale: BigInt(kept.stale),
      partial: dict(kept.partial),
      ...(kept.best && { best: writeBest(kept.best) }),
      ...(settings && { settings: plainValue(settings) }),
    }),
  );
  return root;
}

/** Averaged weights by the names that they have in the file, or else by the model's in it. */
function averagedWeights(bound: BoundModel, ema: Weights, before: Dict | null | undefined): Dict {
  if (!before) return trainedWeights(bound, ema, 'file');
  const { module, stateDict } = bound;
  const binding = bind(module.state, before);
  const averaged = { ...stateDict, dict: before, origin: before };
  return trainedWeights({ module, binding, stateDict: averaged }, ema, 'file');
}

function freeKey(root: Dict, name: string): string {
  return root.has(name) ? `${name}_state_dict` : name;
}

function setMetrics(root: Dict, metrics: Metrics): void {
  const { train_loss } = metrics;
  if (typeof root.get('loss') === 'number' && train_loss !== undefined)
    root.set('loss', train_loss);
  merge(root, METRICS.find((key) => isDict(root.get(key))) ?? 'metrics', metrics);
}

/** Sets entries of the dict at a key, which is made where there is none. */
function merge(root: Dict, key: string, entries: Readonly<Record<string, Value>>): void {
  const there = root.get(key);
  const dict = isDict(there) ? there : new Dict();
  for (const [name, value] of Object.entries(entries)) dict.set(name, value);
  root.set(key, dict);
}

/** Version of the lab, as package.json has it. */
const VERSION = __APP_VERSION__;
