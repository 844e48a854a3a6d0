/**
 * From a state_dict to a model: which key goes where, and what does not fit. The report is the one
 * that `load_state_dict` would give: missing keys, unexpected keys, and mismatched sizes.
 */
import { dtypes, itemsize, type Dtype } from '#lib/checkpoint/dtype.ts';
import type { Finding } from '#lib/checkpoint/finding.ts';
import { tensorFromBytes, type Tensor } from '#lib/checkpoint/tensor.ts';
import { isDict, isTensor, type Dict, type Value } from '#lib/checkpoint/value.ts';
import { idleRules, rename, type Renamed, type RenameRule } from '#lib/edit/rename.ts';
import type { ParameterSpec } from './graph.ts';
import { describeInit } from './initial.ts';

export interface Binding {
  /** By the model's state_dict key, in the model's order. */
  readonly matched: ReadonlyMap<string, BoundTensor>;
  /** Keys that the model has and the file lacks. */
  readonly missing: readonly string[];
  /** Keys that the file has and the model lacks, as they stand in the file. */
  readonly unexpected: readonly string[];
  readonly mismatched: readonly Mismatch[];
  /** Prefixes taken off the file's keys, outermost first. */
  readonly stripped: readonly string[];
  /** Keys that old files lack and PyTorch fills in: `num_batches_tracked`, with zero. */
  readonly defaulted: readonly string[];
  /** Keys that a change of the model brought, which the file is not asked for. */
  readonly fresh: readonly string[];
  readonly notes: readonly Finding[];
}

export interface BoundTensor {
  readonly tensor: Tensor;
  /** Key in the file; empty where PyTorch fills in a value. */
  readonly fileKey: string;
}

export interface Mismatch {
  readonly key: string;
  readonly fileKey: string;
  /** Shape in the file. */
  readonly checkpoint: readonly number[];
  readonly model: readonly number[];
}

export interface BindOptions {
  /** What becomes of the file's keys before wrappers' prefixes are taken off. */
  readonly rename?: readonly RenameRule[];
  /** Changes of the model that the file knows nothing of: what `editModel` says of them. */
  readonly edited?: {
    readonly fresh: ReadonlySet<string>;
    readonly moved: ReadonlyMap<string, string>;
  };
  /** Prefixes that may be taken off; `wrappers` unless others are given. */
  readonly prefixes?: readonly string[];
}

/**
 * What is put before a model's own names: by DataParallel, torch.compile, Lightning and
 * sentence-transformers, and by models around a known one.
 */
export const wrappers: readonly string[] = [
  'module.',
  '_orig_mod.',
  'backbone.',
  'bert.',
  'distilbert.',
  'roberta.',
  '0.auto_model.',
  'encoder.',
  'model.',
  'net.',
];

/** More wrappers than these are not put around one another. */
const maxWrappers = 8;

/** Matches a state_dict to a model. Throws a FindingError where a rule makes two keys one. */
export function bind(
  state: readonly ParameterSpec[],
  stateDict: Dict,
  options: BindOptions = {},
): Binding {
  const { rename: rules = [], edited } = options;
  const nameOf = (key: string): string => edited?.moved.get(key) ?? key;
  const names = new Set(state.map(({ key }) => nameOf(key)));
  const fileKeys = [...stateDict.keys()].filter((key) => typeof key === 'string');
  const naming = stripWrappers(rename(fileKeys, rules), names, options.prefixes ?? wrappers);
  const matched = new Map<string, BoundTensor>();
  const missing: string[] = [];
  const mismatched: Mismatch[] = [];
  const defaulted: string[] = [];
  const notes: Finding[] = idleRules(fileKeys, rules);
  const taken = new Set<string>();
  const fresh = state.flatMap(({ key }) => (edited?.fresh.has(key) ? [key] : []));

  for (const spec of state) {
    const fileKey = naming.fileKeys.get(nameOf(spec.key));
    if (edited?.fresh.has(spec.key)) {
      // The file's own of that name belongs to the layer that was replaced.
      if (fileKey !== undefined) taken.add(fileKey);
      continue;
    }
    const value = fileKey === undefined ? undefined : stateDict.get(fileKey);
    if (fileKey === undefined || !isTensor(value)) {
      if (fileKey === undefined && isFilledIn(spec, stateDict, naming.stripped)) {
        defaulted.push(spec.key);
        matched.set(spec.key, { tensor: zeroOf(spec.dtype), fileKey: '' });
      } else {
        missing.push(spec.key);
      }
      continue;
    }
    taken.add(fileKey);
    const tensor = asScalar(value, spec.shape);
    if (!sameShape(tensor.shape, spec.shape)) {
      mismatched.push({
        key: spec.key,
        fileKey,
        checkpoint: [...value.shape],
        model: [...spec.shape],
      });
      continue;
    }
    matched.set(spec.key, { tensor, fileKey });
    const note = dtypeNote(spec, tensor.dtype);
    if (note) notes.push(note);
  }
  settleTied(state, matched, notes);
  const unexpected = [...stateDict.keys()]
    .filter((key) => typeof key !== 'string' || !taken.has(key))
    .map(keyText);
  const { stripped } = naming;
  return { matched, missing, unexpected, mismatched, stripped, defaulted, fresh, notes };
}

/** A parameter or buffer that gets its first values from the constructor, not from the file. */
export interface Fresh {
  readonly key: string;
  readonly why: 'new' | 'missing' | 'mismatched';
  /** How, in words: `uniform from −0.1 to 0.1`. */
  readonly init: string;
}

/**
 * What starts fresh, in the model's order, where the file's tensors of another size are left out. Keys
 * whose tensor has another key in the file are none of them.
 */
export function startsFresh(state: readonly ParameterSpec[], binding: Binding): Fresh[] {
  const missing = new Set(binding.missing);
  const mismatched = new Set(binding.mismatched.map(({ key }) => key));
  const fresh = new Set(binding.fresh);
  return state.flatMap(({ key, tiedTo, init }) => {
    const why = fresh.has(key)
      ? 'new'
      : missing.has(key)
        ? 'missing'
        : mismatched.has(key)
          ? 'mismatched'
          : null;
    if (why === null || binding.matched.has(key)) return [];
    if (tiedTo !== undefined || isTiedToMatched(state, binding, key)) return [];
    return [{ key, why, init: init ? describeInit(init) : 'not known' } as const];
  });
}

function isTiedToMatched(
  state: readonly ParameterSpec[],
  { matched }: Binding,
  key: string,
): boolean {
  return state.some((spec) => spec.tiedTo === key && matched.has(spec.key));
}

interface Naming {
  /** File key by model key. */
  readonly fileKeys: ReadonlyMap<string, string>;
  readonly stripped: readonly string[];
}

/** Takes wrappers' prefixes off as long as that makes more keys fit. */
function stripWrappers(
  keys: readonly Renamed[],
  modelKeys: ReadonlySet<string>,
  prefixes: readonly string[],
): Naming {
  let names = new Map(keys.map(({ from, to }) => [to, from]));
  let best: Naming = { fileKeys: names, stripped: [] };
  let bestCount = countMatches(names, modelKeys);
  const stripped: string[] = [];
  while (stripped.length < maxWrappers) {
    const prefix = prefixes.find((part) => [...names.keys()].some((key) => key.startsWith(part)));
    if (prefix === undefined) break;
    const next = new Map<string, string>();
    for (const [key, fileKey] of names) {
      next.set(key.startsWith(prefix) ? key.slice(prefix.length) : key, fileKey);
    }
    // Two keys that become one would make the result a matter of order.
    if (next.size < names.size) break;
    names = next;
    stripped.push(prefix);
    const count = countMatches(names, modelKeys);
    if (count > bestCount) {
      best = { fileKeys: names, stripped: [...stripped] };
      bestCount = count;
    }
  }
  return best;
}

function countMatches(names: ReadonlyMap<string, string>, modelKeys: ReadonlySet<string>): number {
  let count = 0;
  for (const key of modelKeys) if (names.has(key)) count++;
  return count;
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** PyTorch 0.3 kept scalars as one-element vectors; `load_state_dict` takes the first element. */
function asScalar(tensor: Tensor, shape: readonly number[]): Tensor {
  const isVector = tensor.shape.length === 1 && tensor.shape[0]! > 0;
  return shape.length === 0 && isVector ? { ...tensor, shape: [], strides: [] } : tensor;
}

function zeroOf(dtype: Dtype): Tensor {
  return tensorFromBytes(new Uint8Array(itemsize(dtype)), dtype, []);
}

/** A BatchNorm older than version 2 of its state had no count of batches. */
function isFilledIn(spec: ParameterSpec, stateDict: Dict, stripped: readonly string[]): boolean {
  const parts = /^(?:(.*)\.)?num_batches_tracked$/.exec(spec.key);
  if (!parts || spec.kind !== 'buffer' || spec.dtype !== 'int64') return false;
  const version = moduleVersion(stateDict, stripped.join('') + (parts[1] ?? ''));
  return version === null || version < 2n;
}

/** The version that `state_dict()` noted for a module, in the dict's `_metadata`. */
function moduleVersion(stateDict: Dict, path: string): bigint | null {
  const { attributes } = stateDict;
  const metadata = isDict(attributes) ? attributes.get('_metadata') : undefined;
  const entry = isDict(metadata) ? metadata.get(path.replace(/\.$/, '')) : undefined;
  const version = isDict(entry) ? entry.get('version') : undefined;
  return typeof version === 'bigint' ? version : null;
}

function dtypeNote(spec: ParameterSpec, dtype: Dtype): Finding | null {
  if (dtype === spec.dtype) return null;
  const [from, to] = [dtypes[dtype].kind, dtypes[spec.dtype].kind];
  return {
    code: 'binding-dtype',
    severity: from === to ? 'info' : 'warning',
    where: spec.key,
    message: `the file holds ${dtype}, the model takes ${spec.dtype}`,
    advice: 'The values are converted when they are loaded, as load_state_dict does.',
  };
}

/** Of tied keys, PyTorch copies one after the other into the same tensor: the last one stays. */
function settleTied(
  state: readonly ParameterSpec[],
  matched: Map<string, BoundTensor>,
  notes: Finding[],
): void {
  for (const { key, tiedTo } of state) {
    if (tiedTo === undefined) continue;
    const bound = matched.get(key);
    const first = matched.get(tiedTo);
    if (bound && first && !sameElements(bound.tensor, first.tensor)) {
      notes.push({
        code: 'binding-tied',
        severity: 'warning',
        where: key,
        message: `"${key}" and "${tiedTo}" are one tensor in the model and two in the file`,
        advice: `"${key}" is used, because load_state_dict copies it last.`,
      });
    }
    if (bound) matched.set(tiedTo, bound);
    else if (first) {
      notes.push({
        code: 'binding-tied',
        severity: 'info',
        where: key,
        message: `"${key}" is not in the file; in the model it is the same tensor as "${tiedTo}"`,
      });
    }
  }
}

/** Whether two tensors are one: the same elements of the same storage. */
export function sameElements(a: Tensor, b: Tensor): boolean {
  return a.storage === b.storage && a.offset === b.offset && a.strides.join() === b.strides.join();
}

function keyText(key: Value): string {
  if (typeof key === 'string') return key;
  return key === null || typeof key !== 'object' ? String(key) : key.kind;
}

export { findStateDicts, type StateDictCandidate } from '#lib/checkpoint/state_dicts.ts';
