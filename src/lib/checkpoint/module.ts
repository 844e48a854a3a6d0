/**
 * Models that were saved whole (`torch.save(model)`, `torch.jit.save`): what their `state_dict()`
 * would give. An nn.Module pickles its attributes as a dict in which `_parameters`, `_buffers` and
 * `_modules` hold the rest by name (torch/nn/modules/module.py, `state_dict`, `_save_to_state_dict`).
 * What a class adds by code of its own (`get_extra_state`, hooks, versions in `_metadata`) is not in
 * the pickle, and not here.
 */
import { Dict, isDict, type Call, type Value } from './value.ts';

/** Python's own recursion ends at this depth, and with it `state_dict()`. */
const MAX_DEPTH = 1000;
/**
 * Characters of all keys, and ENTRY for each module and tensor, one that stands in two places twice:
 * modules that share their parts can name more than any file holds. Large models take 10 MB.
 */
const MAX_SIZE = 2 ** 26;
const ENTRY = 64;

/** What the keys of state_dicts may take, together, where a file holds several modules. */
export interface KeyBudget {
  left: number;
}

export const keyBudget = (): KeyBudget => ({ left: MAX_SIZE });

interface ModuleState {
  readonly parameters: Dict;
  readonly buffers: Dict;
  readonly modules: Dict;
  /** Buffers that `state_dict()` leaves out. */
  readonly hidden: ReadonlySet<Value>;
}

/** Whether the value is a pickled nn.Module. */
export function isModule(value: Value | undefined): value is Call {
  return stateOf(value) !== null;
}

/**
 * The state_dict of a pickled module, in PyTorch's order: parameters, buffers, submodules; None and
 * non-persistent buffers left out, tensors detached. Null where the value is no module, or one that
 * Python could not walk either: it contains itself, or exceeds a limit above.
 */
export function moduleStateDict(value: Value, budget = keyBudget()): Dict | null {
  const result = new Dict([], 'OrderedDict');
  const detached = new Map<Value, Value>();
  const open: { prefix: string; children: Iterator<[Value, Value]> }[] = [];
  const keyOf = (prefix: string, name: Value): string | null => {
    if (typeof name !== 'string') return null;
    budget.left -= ENTRY + prefix.length + name.length;
    return budget.left < 0 ? null : prefix + name;
  };
  /** Takes a module's own entries; false where that is not possible. */
  const enter = (module: Value, prefix: string): boolean => {
    const state = stateOf(module);
    if (!state || open.length >= MAX_DEPTH) return false;
    for (const [entries, hidden] of [
      [state.parameters, none],
      [state.buffers, state.hidden],
    ] as const) {
      for (const [name, item] of entries.entries()) {
        if (item === null || hidden.has(name)) continue;
        const key = keyOf(prefix, name);
        if (key === null) return false;
        if (!detached.has(item)) detached.set(item, detach(item));
        result.set(key, detached.get(item)!);
      }
    }
    open.push({ prefix, children: state.modules.entries() });
    return true;
  };

  if (!enter(value, '')) return null;
  while (open.length > 0) {
    const { prefix, children } = open.at(-1)!;
    const next = children.next();
    if (next.done) {
      open.pop();
      continue;
    }
    const [name, child] = next.value;
    if (child === null) continue;
    const key = keyOf(prefix, name);
    if (key === null || !enter(child, `${key}.`)) return null;
  }
  return result;
}

const none: ReadonlySet<Value> = new Set();

/** `parameter.detach()`: a plain tensor of the same elements. */
function detach(item: Value): Value {
  if (typeof item !== 'object' || (item?.kind !== 'tensor' && item?.kind !== 'sparse')) return item;
  return { ...item, parameter: false, requiresGrad: false };
}

function stateOf(value: Value | undefined): ModuleState | null {
  if (typeof value !== 'object' || value?.kind !== 'call' || !isDict(value.state)) return null;
  const parameters = value.state.get('_parameters');
  const buffers = value.state.get('_buffers');
  const modules = value.state.get('_modules');
  if (!isDict(parameters) || !isDict(buffers) || !isDict(modules)) return null;
  const hidden = value.state.get('_non_persistent_buffers_set');
  const names = typeof hidden === 'object' && hidden?.kind === 'set' ? hidden.items : [];
  return { parameters, buffers, modules, hidden: new Set(names) };
}
