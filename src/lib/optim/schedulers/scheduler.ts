/**
 * A torch.optim.lr_scheduler at work: it reads and writes the param_groups of an optimizer, and its
 * state_dict is torch's, both ways. Everything is computed on the host in doubles, as Python does.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import { Dict, isDict, list, type Value } from '#lib/checkpoint/value.ts';
import { Attributes, isList, isNumber } from './attributes.ts';
import type { Kind, Part } from './kind.ts';
import { kinds } from './kinds.ts';
import { readArguments, refuse } from './parameters.ts';
import { FORMER, recogniseScheduler } from './recognise.ts';
import type { SchedulerName, SchedulerSettings, WarmUp } from './settings.ts';
import { checkWarmUp } from './warm_up.ts';

/** What a scheduler needs of an optimizer. The dicts are changed in place, as torch's are. */
export interface ParamGroups {
  readonly groups: readonly Dict[];
}

/** Keys that torch's state_dict() puts behind all others. */
const LAST = ['_scale_fn_custom', 'lr_lambdas'];

export class Scheduler implements Part {
  readonly settings: SchedulerSettings;
  readonly kind: Kind;
  readonly parts: readonly Scheduler[];
  readonly state = new Attributes();
  readonly warmUp: WarmUp | undefined;
  #groups: readonly Dict[];

  private constructor(settings: SchedulerSettings, groups: readonly Dict[]) {
    const { name, lambda, schedulers } = settings;
    if (!Object.hasOwn(kinds, name)) refuse(`there is no ${String(name)}`);
    this.settings = settings;
    this.kind = kinds[name];
    this.#groups = groups;
    const args = readArguments(settings, this.kind.parameters);
    if (lambda && name !== 'LambdaLR') refuse(`${name} takes no function`);
    if (lambda) checkWarmUp(lambda);
    this.warmUp = lambda;
    const isComposed = this.kind.attributes.includes('_schedulers');
    if (schedulers && !isComposed) refuse(`${name} takes no schedulers`);
    this.parts = (schedulers ?? []).map((part) => new Scheduler(part, groups));
    this.kind.construct(this, args);
  }

  /**
   * Does what torch's constructor does: sets `initial_lr`, the first rate and, where they are
   * cycled, momenta in the param_groups. Throws a FindingError that names a bad argument.
   */
  static fresh(settings: SchedulerSettings, { groups }: ParamGroups): Scheduler {
    return new Scheduler(settings, groups);
  }

  /**
   * Goes on from a state_dict, as torch's `load_state_dict` does after the optimizer's: what was
   * saved counts, not the arguments, and the param_groups stay as they are. LambdaLR's functions
   * are in no checkpoint: with them it takes settings; for the others the name is enough. Throws a
   * FindingError where the state is another scheduler's, or does not fit the param_groups.
   */
  static restore(
    which: SchedulerSettings | SchedulerName,
    saved: Dict,
    { groups }: ParamGroups,
  ): Scheduler {
    const found = recogniseScheduler(saved, groups);
    const name = typeof which === 'string' ? which : which.name;
    if (found?.name !== name) {
      throw misfit(`this is no state_dict of ${name}${found ? ` but of ${found.name}` : ''}`);
    }
    const copies = groups.map((group) => new Dict(group.entries(), group.type));
    const given = typeof which === 'string' ? undefined : which;
    const scheduler = new Scheduler(withFunctions(found.settings, given), copies);
    scheduler.#load(saved, groups);
    return scheduler;
  }

  #load(saved: Dict, groups: readonly Dict[]): void {
    this.#groups = groups;
    const parts = saved.get('_schedulers');
    const savedParts = isList(parts) ? parts.items.filter(isDict) : [];
    if (savedParts.length !== this.parts.length) {
      throw misfit(`it holds ${savedParts.length} schedulers, not ${this.parts.length}`);
    }
    for (const [index, part] of this.parts.entries()) part.#load(savedParts[index]!, groups);
    for (const [key, value] of saved.entries()) {
      if (typeof key !== 'string' || key === '_schedulers' || FORMER.includes(key)) continue;
      const own = this.state.dict.get(key);
      if (own === undefined || !fits(own, value)) {
        throw misfit(`its ${key} is not what ${this.name} has for ${groups.length} param_groups`);
      }
      this.state.dict.set(key, value);
    }
  }

  get name(): SchedulerName {
    return this.settings.name;
  }

  get groups(): readonly Dict[] {
    return this.#groups;
  }

  /** After an optimizer's step, or an epoch. ReduceLROnPlateau needs the metric that it watches. */
  step(metric?: number): void {
    this.kind.step(this, metric);
  }

  /** The rate of each group that the last step has set. */
  get lastLr(): number[] {
    return this.state.nums('_last_lr').map(Number);
  }

  /** torch's state_dict: the same keys, order and types. LambdaLR's functions are None. */
  stateDict(): Dict {
    const saved = new Dict(this.state.dict.entries());
    for (const key of LAST) {
      const value = saved.get(key);
      if (saved.delete(key)) saved.set(key, value!);
    }
    if (this.parts.length > 0) {
      saved.set('_schedulers', list(...this.parts.map((part) => part.stateDict())));
    }
    return saved;
  }
}

/** What a file says, with LambdaLR's functions from elsewhere. */
function withFunctions(
  { name, options, schedulers }: SchedulerSettings,
  given: SchedulerSettings | undefined,
): SchedulerSettings {
  const parts = schedulers?.map((part, index) => withFunctions(part, given?.schedulers?.[index]));
  return {
    name,
    options,
    ...(given?.lambda && { lambda: given.lambda }),
    ...(parts && { schedulers: parts }),
  };
}

/** Whether a saved value can take the place of one that the constructor made. */
function fits(own: Value, saved: Value): boolean {
  if (isNumber(own)) return isNumber(saved);
  if (own === null) return saved === null || isDict(saved); // the attributes of a callable object
  if (isList(own)) {
    const same = isList(saved) && saved.items.length === own.items.length;
    return same && own.items.every((item, index) => fits(item, saved.items[index]!));
  }
  if (own instanceof Dict) {
    if (!isDict(saved)) return false;
    if (own.type === 'Counter') return [...saved.entries()].flat().every(isNumber);
    return [...own.entries()].every(([key, item]) => fits(item, saved.get(key) ?? null));
  }
  return typeof own === typeof saved;
}

function misfit(message: string): FindingError {
  return new FindingError({
    code: 'scheduler-state',
    message: `scheduler: ${message}`,
    advice: 'Start a fresh schedule, or open the checkpoint that the optimizer is from.',
  });
}
