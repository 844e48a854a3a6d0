/** Finds the state_dicts of models within a checkpoint. */
import { isModule, keyBudget, moduleStateDict } from './module.ts';
import { isDict, isTensor, type Dict, type ObjectValue, type Value } from './value.ts';

export interface StateDictCandidate {
  /** Keys from the root to the dict, or to the module. */
  readonly path: readonly string[];
  readonly dict: Dict;
  /** What lies there: the dict itself, or the module whose `state_dict()` it is. */
  readonly origin: ObjectValue;
  /** Higher is likelier. */
  readonly score: number;
}

/** What training scripts call the dict, the most usual first. */
const modelNames =
  /^(model|state_dict|model_state_dict|model_state|net|network|module|model_dict|params|weights|state)$/i;
const averagedNames = /(^|_)(ema|swa|averaged)(_|$)|shadow/i;
const optimizerNames = /optim|scheduler|scaler|(^|_)sched(_|$)/i;

/** Slots of optimizers; a dict of nothing else is the state of one parameter. */
const optimizerSlots = new Set(
  'step exp_avg exp_avg_sq max_exp_avg_sq momentum_buffer square_avg grad_avg acc_delta sum prev'.split(
    ' ',
  ),
);

/** Values visited; files with more have their model near the root. */
const maxVisited = 1_000_000;

/**
 * The dicts that look like a model's state_dict (string keys, mostly tensors), and those of models
 * that were saved whole; likeliest first. What belongs to an optimizer is never among them.
 */
export function findStateDicts(root: Value): StateDictCandidate[] {
  const found: StateDictCandidate[] = [];
  const seen = new Set<object>();
  const keys = keyBudget();
  const queue: Place[] = [{ value: root, name: null, parent: null }];
  for (let next = 0; next < queue.length && next < maxVisited; next++) {
    const place = queue[next]!;
    const { value } = place;
    if (value === null || typeof value !== 'object' || seen.has(value)) continue;
    seen.add(value);
    if (value.kind === 'list' || value.kind === 'tuple') {
      value.items.forEach((item, index) => {
        if (isContainer(item)) queue.push({ value: item, name: String(index), parent: place });
      });
    } else if (isModule(value)) {
      const dict = moduleStateDict(value, keys);
      if (dict && isStateDict(dict)) found.push(candidate(place, dict, value));
    } else if (isDict(value) && !isOptimizer(value)) {
      if (isStateDict(value)) found.push(candidate(place, value, value));
      for (const [key, item] of value.entries()) {
        const name = typeof key === 'string' ? key : typeof key === 'bigint' ? `${key}` : null;
        if (name === null || optimizerNames.test(name) || !isContainer(item)) continue;
        queue.push({ value: item, name, parent: place });
      }
    }
  }
  return found.sort((a, b) => b.score - a.score);
}

function candidate(place: Place, dict: Dict, origin: ObjectValue): StateDictCandidate {
  const path = pathOf(place);
  return { path, dict, origin, score: score(path, dict) };
}

/** A value and the way to it. */
interface Place {
  readonly value: Value;
  readonly name: string | null;
  readonly parent: Place | null;
}

function pathOf(place: Place): string[] {
  const path: string[] = [];
  for (let at: Place | null = place; at !== null; at = at.parent) {
    if (at.name !== null) path.push(at.name);
  }
  return path.reverse();
}

function isContainer(value: Value): boolean {
  if (value === null || typeof value !== 'object') return false;
  return isDict(value) || value.kind === 'list' || value.kind === 'tuple' || isModule(value);
}

function isOptimizer(dict: Dict): boolean {
  if (dict.has('param_groups')) return true;
  const keys = [...dict.keys()];
  return keys.length > 0 && keys.every((key) => typeof key === 'string' && optimizerSlots.has(key));
}

function isStateDict(dict: Dict): boolean {
  const tensors = tensorCount(dict);
  if (tensors === 0 || tensors * 2 <= dict.size) return false;
  for (const key of dict.keys()) if (typeof key !== 'string') return false;
  return true;
}

function tensorCount(dict: Dict): number {
  let count = 0;
  for (const value of dict.values()) if (isTensor(value)) count++;
  return count;
}

/** The name decides, then the number of tensors. */
function score(path: readonly string[], dict: Dict): number {
  const name = path.at(-1);
  const isAveraged = path.some((part) => averagedNames.test(part));
  const rank = isAveraged ? 0 : name === undefined ? 2 : modelNames.test(name) ? 3 : 1;
  const count = tensorCount(dict);
  return rank + count / (count + 1);
}
