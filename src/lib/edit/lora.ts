/** An adapter put into the weights that it stands beside: W + scaling · B·A, as PEFT's `merge_and_unload`. */
import { toFloat32, toFloat64 } from '#lib/checkpoint/elements.ts';
import type { Finding } from '#lib/checkpoint/finding.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { Dict, isTensor } from '#lib/checkpoint/value.ts';
import type { Done, EditContext, Tree } from './apply.ts';
import type { CastCounter } from './cast_counts.ts';
import { combined, type Combination } from './combine.ts';
import type { Edit } from './edits.ts';
import { asTorch, otherOf } from './entries.ts';
import { listed } from './listed.ts';
import { mustBePlain, scalingOf } from './lora_config.ts';
import { turnedWeights, type PairedWeight } from './lora_layout.ts';
import { namesOf, unwrappedName, WeightNames } from './lora_names.ts';
import { loraPairs, refused, type LoraPair } from './lora_pairs.ts';
import { ownStateDictAt, stateDictAt } from './merge.ts';
import { addLowRank, lowRank, type LowRank } from './merge_lora.ts';
import { copyOf, replaced } from './path.ts';
import { isRoundedDtype } from './rounding.ts';

type LoraEdit = Extract<Edit, { kind: 'lora' }>;

/**
 * Pairs of another checkpoint, or of the open one, whose keys then go and names lose what PEFT wraps
 * them in. Tensors of the adapter that are named as one of the model (`modules_to_save`, biases) take
 * its place first. Scaling is the pair's own alpha / rank, or what adapter_config.json says, or the
 * edit. Throws a FindingError where a pair has no weight, or does not fit it, where nothing says the
 * scaling, and for what is more than plain LoRA.
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
  const whole = other ? wholeTensors(source, keys, dict) : { put: [], left: [] };
  const model = copyOf(dict);
  for (const [name, tensor] of whole.put) model.set(name, tensor);
  const paired = pairedWeights(pairs, model);
  const turned = turnedWeights(paired, model, config.get('fan_in_fan_out') === true);
  const casts: CastCounter[] = [];
  for (const [at, one] of paired.entries()) {
    const { tensor, counter } = withPair(one, turned[at]!, { config, scaling: edit.scaling });
    model.set(one.key, tensor);
    casts.push(counter);
  }
  const merged = other ? model : unwrapped(model, keys);
  return {
    root: replaced(root, dict, () => merged),
    changed: paired.length + whole.put.length,
    findings: [...notes(whole, tiedTo(paired, dict)), ...manyRanks(pairs, config, edit.scaling)],
    casts,
  };
}

function pairedWeights(pairs: readonly LoraPair[], model: Dict): PairedWeight[] {
  const names = new WeightNames(model);
  const taken = new Set<string>();
  return pairs.map((pair) => {
    const key = names.of(pair.path);
    const weight = key === null ? undefined : model.get(key);
    if (key === null || !isTensor(weight)) {
      throw refused(
        'weight',
        `"${pair.path}" has no weight here`,
        'Choose the model that the adapter was trained on, or rename its keys first.',
      );
    }
    if (taken.has(key)) throw refused('twice', `two pairs belong to "${key}"`, 'Drop one of them.');
    taken.add(key);
    return { pair, key, weight };
  });
}

/** Tensors that the adapter has whole, by the model's names, and those that have no place there. */
function wholeTensors(source: Dict, keys: ReadonlySet<string>, model: Dict): Whole {
  const put = new Map<string, Tensor>();
  const left: string[] = [];
  for (const [key, value] of source.entries()) {
    if (typeof key !== 'string' || keys.has(key) || !isTensor(value)) continue;
    const name = namesOf(key).find((it) => model.has(it));
    const old = name === undefined ? undefined : model.get(name);
    const isSame = isTensor(old) && old.shape.join() === value.shape.join();
    if (name !== undefined && isSame) put.set(name, asTorch(value));
    else left.push(key);
  }
  return { put: [...put], left };
}

interface Whole {
  readonly put: readonly (readonly [name: string, tensor: Tensor])[];
  readonly left: readonly string[];
}

/** PEFT's whole model under the names of the one in it, without the adapter. */
function unwrapped(model: Dict, keys: ReadonlySet<string>): Dict {
  const plain = new Dict([], model.type);
  plain.attributes = model.attributes;
  for (const [key, value] of model.entries()) {
    if (typeof key === 'string' && keys.has(key)) continue;
    const name = typeof key === 'string' ? unwrappedName(key) : key;
    if (name === null) continue;
    if (plain.has(name)) {
      const text = `two tensors come to the name "${String(name)}"`;
      throw refused('clash', text, 'Rename one of them first.');
    }
    plain.set(name, value);
  }
  return plain;
}

/** Weights that shared a storage with one that is now another, and do no longer. */
function tiedTo(paired: readonly PairedWeight[], dict: Dict): string[] {
  const merged = new Set(paired.map(({ key }) => key));
  const storages = new Set(paired.map(({ weight }) => weight.storage));
  const rest = [...dict.entries()].filter(
    ([key, value]) => !merged.has(String(key)) && isTensor(value) && storages.has(value.storage),
  );
  return rest.map(([key]) => String(key));
}

function notes({ put, left }: Whole, tied: readonly string[]): Finding[] {
  const findings: Finding[] = [];
  const warn = (code: string, message: string, advice?: string) =>
    findings.push({
      code,
      severity: 'warning',
      message: `lora: ${message}`,
      ...(advice && { advice }),
    });
  const names = put.map(([name]) => name);
  if (names.length > 0) warn('lora-whole', `${listed(names)} are the adapter's own now`);
  if (left.length > 0) warn('lora-left', `${listed(left)} of the adapter are left out`);
  if (tied.length > 0) {
    warn(
      'lora-tied',
      `${listed(tied)} were tied to a weight that has the adapter now, and stay as they are`,
      'Load the result into a model that does not tie them.',
    );
  }
  return findings;
}

/** A given scaling is alpha / rank, for one rank. */
function manyRanks(pairs: readonly LoraPair[], config: Dict, scaling: number | null): Finding[] {
  const given = pairs.filter(({ alpha }) => !alpha);
  const ranks = new Set(given.map(({ a }) => a.shape[0]!));
  if (config.has('lora_alpha') || ranks.size < 2) return [];
  return [
    {
      code: 'lora-ranks',
      severity: 'warning',
      message: `lora: pairs of rank ${[...ranks].join(', ')} are all scaled by ${scaling}, as given`,
      advice: 'Open the folder with adapter_config.json, which may scale them apart.',
    },
  ];
}

function withPair(
  { pair, key, weight }: PairedWeight,
  isTurned: boolean | null,
  given: { readonly config: Dict; readonly scaling: number | null },
): { tensor: Tensor; counter: CastCounter } {
  const { path, a, b, alpha } = pair;
  if (isTurned === null || ![weight, a, b].every(({ dtype }) => isRoundedDtype(dtype))) {
    const text = ({ dtype, shape }: Tensor) => `${dtype} [${shape.join(', ')}]`;
    throw refused(
      'shape',
      `"${path}" has A ${text(a)} and B ${text(b)}, the weight "${key}" is ${text(weight)}`,
      'Choose the model that the adapter was trained on.',
    );
  }
  const rank = a.shape[0]!;
  const scaling = alpha ? null : scalingOf(path, rank, given.config, given.scaling);
  const toFloats = weight.dtype === 'float64' ? toFloat64 : toFloat32;
  let known: Promise<{ update: LowRank; scale: number }> | undefined;
  const read = async (signal?: AbortSignal) => {
    const floats = async (it: Tensor) => toFloats(await readTensor(it, signal), it.dtype);
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
