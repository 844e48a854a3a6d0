/** An adapter put into the weights that it stands beside: W + scaling · B·A, as PEFT's `merge_and_unload`. */
import { toFloat32, toFloat64 } from '#lib/checkpoint/elements.ts';
import type { Finding } from '#lib/checkpoint/finding.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import { numel, type Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, isDict, isTensor, type Value } from '#lib/checkpoint/value.ts';
import type { Done, EditContext, Tree } from './apply.ts';
import type { CastCounter } from './cast_counts.ts';
import { combined, type Combination } from './combine.ts';
import type { Edit } from './edits.ts';
import { asTorch, otherOf } from './entries.ts';
import { listed } from './listed.ts';
import { loraPairs, refused, type LoraPair } from './lora_pairs.ts';
import { ownStateDictAt, stateDictAt } from './merge.ts';
import { addLowRank, lowRank, type LowRank } from './merge_lora.ts';
import { replaced } from './path.ts';
import { isRoundedDtype } from './rounding.ts';

type LoraEdit = Extract<Edit, { kind: 'lora' }>;

/**
 * Pairs of another checkpoint, or of the open one, whose keys then go. Tensors of the adapter that
 * are named as one of the model (`modules_to_save`, biases) take its place. Scaling is the pair's own
 * alpha / rank, or what adapter_config.json says, or the edit. Throws a FindingError where a pair has
 * no weight, or does not fit it, and where nothing says the scaling.
 */
export function mergeAdapter({ root }: Tree, edit: LoraEdit, context: EditContext): Done {
  const dict = ownStateDictAt(root, edit.in, context, edit.kind);
  const other = edit.other === null ? null : otherOf(edit.other, edit.kind, context);
  const source = other ? stateDictAt(other.root, null, context, edit.kind) : dict;
  const { pairs, keys } = loraPairs(source);
  if (pairs.length === 0) {
    throw refused(
      'none',
      `${other ? other.name : 'the checkpoint'} has no lora_A and lora_B`,
      'Choose the file with the adapter.',
    );
  }
  const config = other?.configuration ?? new Dict();
  mustBePlain(config);
  const weights = new WeightNames(dict);
  const casts: CastCounter[] = [];
  const merged = new Map<string, Tensor>();
  for (const pair of pairs) {
    const key = weights.of(pair.path);
    const weight = key === null ? undefined : dict.get(key);
    if (key === null || !isTensor(weight)) {
      throw refused(
        'weight',
        `"${pair.path}" has no weight here`,
        'Choose the model that the adapter was trained on, or rename its keys first.',
      );
    }
    if (merged.has(key)) {
      throw refused('twice', `two pairs belong to "${key}"`, 'Drop one of them.');
    }
    const { tensor, counter } = withPair(key, weight, pair, { config, scaling: edit.scaling });
    merged.set(key, tensor);
    casts.push(counter);
  }
  const findings: Finding[] = [];
  const changed = new Dict([], dict.type);
  changed.attributes = dict.attributes;
  for (const [key, value] of dict.entries()) {
    if (!other && typeof key === 'string' && keys.has(key)) continue;
    const name = typeof key === 'string' ? key.replace(/\.base_layer\.([^.]+)$/, '.$1') : key;
    changed.set(name, merged.get(key as string) ?? value);
  }
  const whole = other ? wholeTensors(source, keys, weights, changed, findings) : 0;
  return {
    root: replaced(root, dict, () => changed),
    changed: merged.size + whole,
    findings,
    casts,
  };
}

/** Puts tensors in their places that the adapter has whole; how many. */
function wholeTensors(
  source: Dict,
  keys: ReadonlySet<string>,
  weights: WeightNames,
  changed: Dict,
  findings: Finding[],
): number {
  const [put, left]: [string[], string[]] = [[], []];
  for (const [key, value] of source.entries()) {
    if (typeof key !== 'string' || keys.has(key) || !isTensor(value)) continue;
    const name = namesOf(key).find((it) => changed.has(it));
    const old = name === undefined ? undefined : changed.get(name);
    const isSame = isTensor(old) && old.shape.join() === value.shape.join();
    if (name !== undefined && isSame) {
      changed.set(name, asTorch(value));
      put.push(name);
    } else left.push(key);
  }
  const warn = (code: string, message: string) =>
    findings.push({ code, severity: 'warning', message: `lora: ${message}` });
  if (put.length > 0) warn('lora-whole', `${listed(put)} are the adapter's own now`);
  if (left.length > 0) warn('lora-left', `${listed(left)} of the adapter are left out`);
  return put.length;
}

/** What wrappers put before the model's own names. */
const WRAPPERS = [/^base_model\.model\./, /^(unet|transformer|text_encoder(_2)?)\./];

/** A name of an adapter, and what it may be called in the model. */
function namesOf(name: string): string[] {
  const names = [name];
  for (const wrapper of WRAPPERS) {
    const last = names.at(-1)!;
    if (wrapper.test(last)) names.push(last.replace(wrapper, ''));
  }
  return names;
}

/** kohya's scripts write a layer's path with underscores. */
const FLAT = /^lora_(?:unet|te|te1|te2|transformer)_(.+)$/;

/** Keys of weights by the paths of layers. */
class WeightNames {
  readonly #keys: Dict;
  #flat: Map<string, string> | undefined;

  constructor(dict: Dict) {
    this.#keys = dict;
  }

  of(path: string): string | null {
    for (const name of namesOf(path)) {
      for (const key of [`${name}.weight`, `${name}.base_layer.weight`]) {
        if (this.#keys.has(key)) return key;
      }
    }
    const flat = FLAT.exec(path)?.[1];
    return flat === undefined ? null : (this.#flattened().get(flat) ?? null);
  }

  #flattened(): Map<string, string> {
    if (this.#flat) return this.#flat;
    this.#flat = new Map();
    for (const key of this.#keys.keys()) {
      if (typeof key !== 'string' || !key.endsWith('.weight')) continue;
      this.#flat.set(key.slice(0, -'.weight'.length).replaceAll('.', '_'), key);
    }
    return this.#flat;
  }
}

function mustBePlain(config: Dict): void {
  if (config.get('use_dora') === true) {
    throw refused('method', 'the adapter uses DoRA', 'Merge it with PEFT.');
  }
}

function withPair(
  key: string,
  weight: Tensor,
  pair: LoraPair,
  given: { readonly config: Dict; readonly scaling: number | null },
): { tensor: Tensor; counter: CastCounter } {
  const { path, a, b, alpha } = pair;
  const rank = a.shape[0] ?? 0;
  const [rows, columns] = [numel(b.shape) / rank, numel(a.shape) / rank];
  const isTurned = turned(weight, rows, columns, pair.isEmbedding, given.config);
  const isPair = rank > 0 && b.shape[0] === rows && [a, b].every((it) => it.shape.length > 1);
  if (isTurned === null || !isPair || ![weight, a, b].every(({ dtype }) => isRoundedDtype(dtype))) {
    const text = ({ dtype, shape }: Tensor) => `${dtype} [${shape.join(', ')}]`;
    throw refused(
      'shape',
      `"${path}" has A ${text(a)} and B ${text(b)}, the weight "${key}" is ${text(weight)}`,
      'Choose the model that the adapter was trained on.',
    );
  }
  const scaling = alpha ? null : scalingOf(path, rank, given.config, given.scaling);
  let known: Promise<{ update: LowRank; scale: number }> | undefined;
  const read = async (signal?: AbortSignal) => {
    const floats = async (it: Tensor) => toFloat32(await readTensor(it, signal), it.dtype);
    const update = lowRank(await floats(a), await floats(b), rank, isTurned);
    if (scaling !== null) return { update, scale: scaling };
    const value = toFloat64(await readTensor(alpha!, signal), alpha!.dtype)[0]!;
    return { update, scale: value / rank };
  };
  const combine: Combination = async ([numbers], at, signal) => {
    known ??= read(signal);
    known.catch(() => (known = undefined)); // asked for anew after a break
    const { update, scale } = await known;
    addLowRank(numbers, at, update, scale);
  };
  const more = [a, b, ...(alpha ? [alpha] : [])].map(({ storage }) => storage);
  return combined([weight], key, combine, more);
}

/** Whether the weight lies (inputs, outputs); null where it does not fit at all. */
function turned(
  { shape }: Tensor,
  rows: number,
  columns: number,
  isEmbedding: boolean,
  config: Dict,
): boolean | null {
  const fits = shape[0] === rows && numel(shape) === rows * columns;
  const fitsTurned = shape.length === 2 && shape[0] === columns && shape[1] === rows;
  const isTurned = isEmbedding || config.get('fan_in_fan_out') === true || !fits;
  return isTurned ? (fitsTurned ? true : null) : false;
}

/** alpha / rank, or alpha / √rank (rsLoRA), as adapter_config.json says; else the given one. */
function scalingOf(path: string, rank: number, config: Dict, given: number | null): number {
  const patterns = config.get('alpha_pattern');
  const own = isDict(patterns) ? patternFor(path, patterns) : undefined;
  const alpha = Number(own ?? config.get('lora_alpha') ?? NaN);
  if (Number.isFinite(alpha)) {
    return config.get('use_rslora') === true ? alpha / Math.sqrt(rank) : alpha / rank;
  }
  if (given !== null && Number.isFinite(given)) return given;
  throw refused(
    'scaling',
    'nothing says alpha / rank, by which the adapter is scaled',
    'Give it: adapter_config.json has lora_alpha and r.',
  );
}

/**
 * PEFT's patterns are regular expressions for the end of a layer's path, which here are names alone: a
 * pattern from a file could take forever.
 */
function patternFor(path: string, patterns: Dict): Value | undefined {
  for (const [key, value] of patterns.entries()) {
    const name = String(key);
    if (!/^[\w.-]+$/.test(name)) {
      throw refused(
        'pattern',
        `alpha_pattern has "${name}", which is no name`,
        'Merge it with PEFT.',
      );
    }
    if (path === name || path.endsWith(`.${name}`)) return value;
  }
  return undefined;
}
