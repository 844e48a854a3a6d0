import { findOptimizer, matchParameters } from '#lib/checkpoint/optimizer.ts';
import type { Storage } from '#lib/checkpoint/tensor.ts';
import { isDict, isTensor, type Value } from '#lib/checkpoint/value.ts';

/** The parameter that each state of the checkpoint's optimizer belongs to, where order and shapes tell it. */
export function stateOwners(root: Value, stateDict: Value | undefined): Map<Value, string> {
  const owners = new Map<Value, string>();
  const found = findOptimizer(root);
  if (!found || !isDict(stateDict)) return owners;
  // A tied parameter is one to the optimizer, by the name that comes first.
  const seen = new Map<Storage, Set<string>>();
  const parameters = [...stateDict.entries()].flatMap(([key, value]) => {
    if (typeof key !== 'string' || !isTensor(value) || isBuffer(key)) return [];
    const views = seen.get(value.storage) ?? new Set();
    const view = `${value.offset} ${value.shape.join()}`;
    if (views.has(view)) return [];
    seen.set(value.storage, views.add(view));
    return [{ key, shape: value.shape }];
  });
  const match = matchParameters(found.optimizer, parameters);
  if (!match.ok) return owners;
  for (const [id, key] of match.keys) {
    const state = found.optimizer.states.get(id);
    if (isDict(state)) owners.set(state, key);
  }
  return owners;
}

/** The buffers of the normalisation layers: in a state_dict, but not in an optimizer. */
function isBuffer(key: string): boolean {
  return /(^|\.)(running_mean|running_var|num_batches_tracked)$/.test(key);
}
