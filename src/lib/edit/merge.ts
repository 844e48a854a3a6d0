/** Several checkpoints as one: their keys together, or their weights combined. */
import { dtypes } from '#lib/checkpoint/dtype.ts';
import { FindingError, type Finding } from '#lib/checkpoint/finding.ts';
import { findStateDicts } from '#lib/checkpoint/state_dicts.ts';
import type { Storage, Tensor } from '#lib/checkpoint/tensor.ts';
import { isSparse, isTensor, type Dict, type Value } from '#lib/checkpoint/value.ts';
import type { Done, EditContext, Tree } from './apply.ts';
import type { CastCounter } from './cast_counts.ts';
import { combined } from './combine.ts';
import type { Edit, MergeHow, Path } from './edits.ts';
import { otherOf } from './entries.ts';
import { listed } from './listed.ts';
import { combination, type Arithmetic } from './merge_how.ts';
import { viewKey } from './owned.ts';
import { copyOf, dictAt, replaced } from './path.ts';
import { isRoundedDtype } from './rounding.ts';

type MergeEdit = Extract<Edit, { kind: 'merge' }>;

/**
 * Throws a FindingError where keys clash (disjoint), where tensors of one name differ in shape or
 * cannot be added, or where the numbers do not fit the number of checkpoints.
 */
export function merge({ root }: Tree, edit: MergeEdit, context: EditContext): Done {
  const { how } = edit;
  const dict = ownStateDictAt(root, edit.in, context, edit.kind);
  const others = edit.others.map(({ other, in: path }) => {
    const checkpoint = otherOf(other, edit.kind, context);
    return { name: checkpoint.name, dict: stateDictAt(checkpoint.root, path, context, edit.kind) };
  });
  if (others.length === 0) {
    throw refused('merge-others', 'there is no other checkpoint', 'Open one more, and choose it.');
  }
  mustFit(how, others.length);
  const { merged, ...rest } =
    how.kind === 'disjoint' ? joined(dict, others) : arithmetic(dict, others, how);
  return { ...rest, root: replaced(root, dict, () => merged) };
}

/** The dict at the path, or without one the likeliest state_dict. */
export function stateDictAt(
  root: Value,
  path: Path | null,
  context: EditContext,
  area: string,
): Dict {
  if (path) return dictAt(root, path, context, area);
  const found = findStateDicts(root)[0]?.dict;
  if (found) return found;
  throw new FindingError({
    code: 'edit-no-dict',
    message: `${area}: no dict holds tensors by name`,
    advice: 'Name the dict that is meant.',
  });
}

/** As `stateDictAt`, of a tree whose dict is to be changed. */
export function ownStateDictAt(
  root: Value,
  path: Path | null,
  context: EditContext,
  area: string,
): Dict {
  const dict = stateDictAt(root, path, context, area);
  if (path || findStateDicts(root)[0]?.origin === dict) return dict;
  throw new FindingError({
    code: 'edit-no-dict',
    message: `${area}: the model was saved whole`,
    advice: 'Extract it first, which makes a state_dict of it.',
  });
}

interface Other {
  readonly name: string;
  readonly dict: Dict;
}

interface Merged extends Omit<Done, 'root'> {
  readonly merged: Dict;
}

function joined(dict: Dict, others: readonly Other[]): Merged {
  const merged = copyOf(dict);
  const clashes: string[] = [];
  let changed = 0;
  for (const other of others) {
    for (const [key, value] of other.dict.entries()) {
      if (merged.has(key)) clashes.push(String(key));
      else {
        merged.set(key, value);
        changed++;
      }
    }
  }
  if (clashes.length === 0) return { merged, changed };
  throw refused(
    'merge-clash',
    `${clashes.length} keys are in several: ${listed(clashes)}`,
    'Rename or drop them first, or combine their weights.',
  );
}

function arithmetic(dict: Dict, others: readonly Other[], how: Arithmetic): Merged {
  const merged = copyOf(dict);
  const casts: CastCounter[] = [];
  /** Tensors that are one view in every checkpoint stay one. */
  const known = new Map<string, Tensor>();
  const numbers = new StorageNumbers();
  const [missing, kept]: [string[], string[]] = [[], []];
  let changed = 0;
  for (const [key, value] of dict.entries()) {
    const name = String(key);
    if (isSparse(value)) throw uncombined(name, [value.layout]);
    if (!isTensor(value)) continue;
    const values = others.map((other) => other.dict.get(key));
    if (!values.every(isTensor)) {
      missing.push(name);
      continue;
    }
    mustBeAlike(name, value, values, others);
    if (['int', 'bool'].includes(dtypes[value.dtype].kind)) {
      kept.push(name);
      continue;
    }
    const tensors: [Tensor, ...Tensor[]] = [value, ...values];
    const view = tensors.map((it) => `${numbers.of(it.storage)} ${viewKey(it)}`).join(' | ');
    let result = known.get(view);
    if (!result) {
      const made = combined(tensors, name, combination(how, name, tensors));
      casts.push(made.counter);
      known.set(view, (result = made.tensor));
    }
    const { parameter, requiresGrad } = value;
    merged.set(key, { ...result, parameter, requiresGrad });
    changed++;
  }
  if (changed === 0) {
    throw refused(
      'merge-nothing',
      'the checkpoints have no tensor in common',
      'Rename the keys first, so that they are equal.',
    );
  }
  return { merged, changed, casts, findings: notes(dict, others, how, missing, kept) };
}

/** Numbers of storages in order of appearance. */
class StorageNumbers {
  readonly #numbers = new Map<Storage, number>();
  of(storage: Storage): number {
    const known = this.#numbers.get(storage) ?? this.#numbers.size;
    this.#numbers.set(storage, known);
    return known;
  }
}

function notes(
  dict: Dict,
  others: readonly Other[],
  how: Arithmetic,
  missing: readonly string[],
  kept: readonly string[],
): Finding[] {
  const findings: Finding[] = [];
  const warn = (code: string, message: string) =>
    findings.push({ code, severity: 'warning', message: `merge: ${message}` });
  if (missing.length > 0) {
    warn('merge-missing', `${listed(missing)} stay as they are: not every checkpoint has them`);
  }
  for (const other of others) {
    const entries = [...other.dict.entries()].filter(([key, it]) => isTensor(it) && !dict.has(key));
    const names = entries.map(([key]) => String(key));
    if (names.length > 0) warn('merge-left', `${listed(names)} of ${other.name} are left out`);
  }
  if (kept.length > 0) {
    warn('merge-integers', `${listed(kept)} are integers, taken from the open checkpoint`);
  }
  const sum = how.kind === 'weighted' ? how.weights.reduce((a, b) => a + b, 0) : 1;
  if (Math.abs(sum - 1) > 1e-6) warn('merge-weights', `the weights add up to ${sum}, not to 1`);
  return findings;
}

function mustBeAlike(
  name: string,
  tensor: Tensor,
  values: readonly Tensor[],
  others: readonly Other[],
): void {
  values.forEach((value, at) => {
    if (value.shape.join() === tensor.shape.join()) return;
    throw refused(
      'merge-shape',
      `"${name}" is [${tensor.shape.join(', ')}], in ${others[at]!.name} it is [${value.shape.join(', ')}]`,
      'Drop it first, or choose checkpoints of one model.',
    );
  });
  const kinds = [tensor, ...values].map(({ dtype }) => dtypes[dtype].kind);
  const isFloat = isRoundedDtype(tensor.dtype) && kinds.every((kind) => kind === 'float');
  const isWhole = kinds.every((kind) => kind === 'int' || kind === 'bool');
  if (isFloat || isWhole) return;
  throw uncombined(
    name,
    [tensor, ...values].map(({ dtype }) => dtype),
  );
}

function uncombined(name: string, kinds: readonly string[]): FindingError {
  return refused(
    'merge-dtype',
    `"${name}" is ${kinds.join(' and ')}, which cannot be combined`,
    'Cast it first, or drop it.',
  );
}

/** Numbers for each checkpoint, and finite ones. */
function mustFit(how: MergeHow, others: number): void {
  const [numbers, wanted] = numbersOf(how, others);
  if (how.kind === 'slerp' && others !== 1) {
    throw refused(
      'merge-count',
      `slerp lies between two checkpoints, there are ${others + 1}`,
      'Choose one other checkpoint.',
    );
  }
  if (how.kind === 'task' && others < 2) {
    throw refused(
      'merge-count',
      'task arithmetic needs a fine-tuned checkpoint and its base',
      'Choose the base as the last of the others.',
    );
  }
  if (numbers.length !== wanted) {
    throw refused(
      'merge-count',
      `${numbers.length} ${how.kind === 'task' ? 'scales' : 'weights'} are given, ${wanted} are needed`,
      'Give one for each checkpoint.',
    );
  }
  const wrong = numbers.find((number) => !Number.isFinite(number));
  if (wrong === undefined) return;
  throw refused('merge-number', `${wrong} is no finite number`, 'Give a number such as 0.5.');
}

function numbersOf(how: MergeHow, others: number): [readonly number[], wanted: number] {
  switch (how.kind) {
    case 'disjoint':
      return [[], 0];
    case 'weighted':
      return [how.weights, others + 1];
    case 'slerp':
      return [[how.t], 1];
    case 'ema':
      return [[how.decay], 1];
    case 'task':
      return [how.scales, others - 1];
    default:
      return how satisfies never;
  }
}

function refused(code: string, message: string, advice: string): FindingError {
  return new FindingError({ code, message: `merge: ${message}`, advice });
}
