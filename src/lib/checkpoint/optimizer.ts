/**
 * An optimizer's state_dict as torch.optim writes it: `state` by integer id, `param_groups` that
 * list the ids. The ids name parameters only by order (torch.optim.Optimizer.state_dict), so which
 * parameter a state belongs to is worked out here, from names where the file has them
 * (`param_names`), else from order and shapes.
 */
import type { Finding, Result } from './finding.ts';
import { Dict, isDict, isTensor, type Value } from './value.ts';

export const optimizerNames = [
  ...['SGD', 'Adam', 'AdamW', 'NAdam', 'RAdam'],
  ...['Adamax', 'RMSprop', 'Adagrad', 'Adadelta'],
] as const;
export type OptimizerName = (typeof optimizerNames)[number];

export interface SavedOptimizer {
  readonly groups: readonly { readonly ids: readonly Value[]; readonly options: Dict }[];
  /** State of one parameter by its id: `exp_avg`, `momentum_buffer`, `step`. */
  readonly states: Dict;
}

/** Reads a value as an optimizer's state_dict; null where it is none. */
export function parseOptimizer(value: Value | undefined): SavedOptimizer | null {
  if (!isDict(value)) return null;
  const states = value.get('state');
  const groups = value.get('param_groups');
  if (!isDict(states) || typeof groups !== 'object' || groups?.kind !== 'list') return null;
  const parsed = groups.items.map((options) => {
    const ids = isDict(options) ? options.get('params') : null;
    return isDict(options) && typeof ids === 'object' && ids?.kind === 'list'
      ? { ids: ids.items, options }
      : null;
  });
  const complete = parsed.filter((group) => group !== null);
  return complete.length === parsed.length ? { groups: complete, states } : null;
}

export interface FoundOptimizer {
  /** Key at the top of the checkpoint; the state_dict lies there, or in a list there. */
  readonly key: string;
  readonly dict: Dict;
  readonly optimizer: SavedOptimizer;
}

/** The first optimizer at the top of a checkpoint; null where there is none. */
export function findOptimizer(root: Value): FoundOptimizer | null {
  if (!isDict(root)) return null;
  for (const [key, value] of root.entries()) {
    const candidates = typeof value === 'object' && value?.kind === 'list' ? value.items : [value];
    for (const candidate of candidates) {
      const optimizer = parseOptimizer(candidate);
      if (optimizer && isDict(candidate) && typeof key === 'string') {
        return { key, dict: candidate, optimizer };
      }
    }
  }
  return null;
}

/**
 * Which optimizer wrote it, by the options of its groups and the keys of its states. `certain` is
 * false where another one leaves the same traces: Adam and AdamW do before PyTorch 2.7
 * (`decoupled_weight_decay`), which matters where there is weight decay; RAdam and Adamax before
 * 2.3 until their first step; and others than torch's have had RAdam's from before 1.12.
 */
export function recogniseOptimizer({
  groups,
  states,
}: SavedOptimizer): { name: OptimizerName; certain: boolean } | null {
  const options = groups[0]?.options;
  const state = [...states.values()].find((it) => isDict(it) && it.size > 0) as Dict | undefined;
  const has = (...keys: string[]) => keys.every((key) => options?.has(key));
  /** The name, where the states are of this kind, or none has come to be. */
  const when = (name: OptimizerName, key: string, certain = true) =>
    !state || state.has(key) ? { name, certain } : null;
  if (has('momentum', 'dampening', 'nesterov')) return when('SGD', 'momentum_buffer');
  if (has('alpha', 'centered')) return when('RMSprop', 'square_avg');
  if (has('lr_decay', 'eps')) return when('Adagrad', 'sum');
  if (has('rho', 'eps')) return when('Adadelta', 'acc_delta');
  if (!has('betas', 'eps', 'weight_decay')) return null;
  if (has('momentum_decay')) return when('NAdam', 'mu_product');
  if (has('amsgrad')) {
    const decoupled = options?.get('decoupled_weight_decay');
    if (typeof decoupled === 'boolean') return when(decoupled ? 'AdamW' : 'Adam', 'exp_avg_sq');
    // AdamW's default weight decay is 0.01, Adam's is 0. Groups without decay may come first.
    const decays = groups.some((group) => Number(group.options.get('weight_decay') ?? 0) !== 0);
    return when(decays ? 'AdamW' : 'Adam', 'exp_avg_sq', !decays);
  }
  if (state?.has('exp_inf')) return { name: 'Adamax', certain: true };
  const isRAdam = has('decoupled_weight_decay') || (state !== undefined && has('foreach'));
  return when('RAdam', 'exp_avg_sq', isRAdam);
}

interface Parameter {
  readonly key: string;
  readonly shape: readonly number[];
}

/**
 * The parameter of each id, in the order of the groups: `[id, key]`. `parameters` are the model's,
 * in the order of `parameters()`.
 */
export function matchParameters(
  saved: SavedOptimizer,
  parameters: readonly Parameter[],
): Result<{ keys: [Value, string][] }> {
  const refuse = (message: string): { ok: false; findings: Finding[] } => ({
    ok: false,
    findings: [
      {
        code: 'optimizer-mismatch',
        severity: 'warning',
        message: `optimizer: ${message}`,
        advice: 'Train with a fresh optimizer, or build the model that this state was saved with.',
      },
    ],
  });
  const ids = saved.groups.flatMap((group) => group.ids);
  if (ids.length !== parameters.length) {
    return refuse(
      `its param_groups list ${ids.length} parameters, the model has ${parameters.length}`,
    );
  }
  const names = namesOf(saved, parameters);
  const orders = names ? [names] : ordersOf(saved, parameters);
  const pairs = orders.map((keys) => ids.map((id, at): [Value, string] => [id, keys[at]!]));
  const shapes = new Map(parameters.map(({ key, shape }) => [key, shape]));
  const keys = pairs.find((it) => mismatchOf(saved, it, shapes) === null) ?? pairs[0]!;
  if (new Dict(keys).size < keys.length || new Set(keys.map(([, key]) => key)).size < keys.length) {
    return refuse('its param_groups list a parameter twice');
  }
  const mismatch = mismatchOf(saved, keys, shapes);
  return mismatch === null ? { ok: true, keys } : refuse(mismatch);
}

/** The keys that `param_names` stand for; null where there are none, or none that fits. */
function namesOf({ groups }: SavedOptimizer, parameters: readonly Parameter[]): string[] | null {
  const names = groups.flatMap(({ ids, options }) => {
    const listed = options.get('param_names');
    const items = typeof listed === 'object' && listed?.kind === 'list' ? listed.items : [];
    return items.length === ids.length ? items : [null];
  });
  const [first] = names;
  if (!names.every((name) => typeof name === 'string') || typeof first !== 'string') return null;
  const keys = new Set(parameters.map(({ key }) => key));
  if (names.some((name) => keys.has(name))) return names;
  // DataParallel and torch.compile put `module.` or `_orig_mod.` before all names.
  for (const key of keys) {
    const prefix = first.endsWith(`.${key}`) ? first.slice(0, -key.length) : null;
    const stripped = names.map((name) => (prefix ? name.slice(prefix.length) : name));
    if (prefix && stripped.every((name) => keys.has(name))) return stripped;
  }
  return null;
}

/**
 * Orders that a script may have listed the parameters in: that of `parameters()`, and where it made
 * two groups, with and without weight decay, by their dimensions or by their names. The first whose
 * shapes fit is the one.
 */
function ordersOf({ groups }: SavedOptimizer, parameters: readonly Parameter[]): string[][] {
  const decays: ((parameter: Parameter) => boolean)[] = [
    ({ shape }) => shape.length > 1,
    ({ key }) => !key.endsWith('bias'),
  ];
  const splits = decays.flatMap((decay) => {
    const [first, last] = [parameters.filter(decay), parameters.filter((it) => !decay(it))];
    return [
      [first, last],
      [last, first],
    ];
  });
  const fitting = splits.filter(
    (split) =>
      split.length === groups.length &&
      split.every((it, at) => it.length === groups[at]!.ids.length),
  );
  return [parameters, ...fitting.map((split) => split.flat())].map((order) =>
    order.map(({ key }) => key),
  );
}

/** Why the states cannot belong to the parameters of these keys; null where they can. */
function mismatchOf(
  { states }: SavedOptimizer,
  keys: readonly (readonly [Value, string])[],
  shapes: ReadonlyMap<string, readonly number[]>,
): string | null {
  for (const [id, key] of keys) {
    const shape = shapes.get(key);
    if (!shape) return `it names the parameter ${key}, which the model lacks`;
    const state = states.get(id);
    for (const [field, value] of isDict(state) ? state.entries() : []) {
      if (!isTensor(value) || field === 'step' || value.shape.length === 0) continue;
      if (value.shape.join() !== shape.join()) {
        return `its ${String(field)} number ${String(id)} is [${value.shape.join(', ')}], the parameter ${key} is [${shape.join(', ')}]`;
      }
    }
  }
  return null;
}
