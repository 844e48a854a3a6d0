/** Finds the tensors of a pickled module, and what they are to it. */
import { isModule } from '#lib/checkpoint/module.ts';
import { isDict, isTensor, type Dict, type Value } from '#lib/checkpoint/value.ts';
import type { CarriedTensors } from './tensors.ts';

/** Objects looked at; a module has some twenty, large models some ten thousand modules. */
const MAX_OBJECTS = 2_000_000;

/**
 * Hands over the parameters and buffers first, then all other tensors that can be reached, whose
 * keys are `prefix` and a number.
 */
export function collectTensors(root: Value, tensors: CarriedTensors, prefix: string): void {
  const others: Value[] = [];
  for (const value of objectsOf(root)) {
    if (isTensor(value)) others.push(value);
    if (!isModule(value) || !isDict(value.state)) continue;
    for (const [store, role] of [
      ['_parameters', 'parameter'],
      ['_buffers', 'buffer'],
    ] as const) {
      const entries = value.state.get(store);
      if (!isDict(entries)) continue;
      const hidden = role === 'buffer' ? hiddenBuffers(value.state) : none;
      for (const [name, item] of entries.entries()) {
        if (isTensor(item) && !hidden.has(name)) tensors.add(item, role, '');
      }
    }
  }
  others.forEach((tensor, index) => {
    if (isTensor(tensor)) tensors.add(tensor, 'other', `${prefix}.${index}`);
  });
}

const none: ReadonlySet<Value> = new Set();

/** Names of the buffers that the state_dict leaves out. */
export function hiddenBuffers(state: Dict): ReadonlySet<Value> {
  const names = state.get('_non_persistent_buffers_set');
  return typeof names === 'object' && names?.kind === 'set' ? new Set(names.items) : none;
}

/** Every object once. */
export function* objectsOf(root: Value): Generator<Value> {
  const seen = new Set<Value>();
  const open: Value[] = [root];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (value === null || typeof value !== 'object' || seen.has(value)) continue;
    if (seen.size >= MAX_OBJECTS) return;
    seen.add(value);
    yield value;
    if (value.kind === 'list' || value.kind === 'tuple')
      for (const item of value.items) open.push(item);
    else if (isDict(value)) for (const item of value.values()) open.push(item);
    else if (value.kind === 'call') {
      open.push(value.args);
      if (value.state !== undefined) open.push(value.state);
      for (const [, item] of value.entries ?? []) open.push(item);
    }
  }
}
