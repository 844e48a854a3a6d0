/**
 * Which scheduler wrote a state_dict. It is a plain dict of attributes that does not say; but each
 * class of torch has attributes of its own, and nothing else may be there: a class that the lab does
 * not know is not taken for one that it knows.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import { Dict, isDict, type Value } from '#lib/checkpoint/value.ts';
import { Attributes, isList } from './attributes.ts';
import { kinds } from './kinds.ts';
import type { SchedulerName, SchedulerSettings } from './settings.ts';

export interface RecognisedScheduler {
  readonly name: SchedulerName;
  /**
   * The constructor's arguments. OneCycleLR's rates are in the param_groups only: without them they
   * are left out. LambdaLR's functions are nowhere.
   */
  readonly settings: SchedulerSettings;
  /** False for LambdaLR: MultiplicativeLR leaves the same traces. */
  readonly certain: boolean;
}

/** Attributes that depend on an argument, or that PyTorch 1.13 does not save yet. */
const OPTIONAL = new Set([
  '_step_count',
  '_is_initial',
  '_get_lr_called_within_step',
  '_last_lr',
  '_anneal_func_type',
  'default_min_lr',
  'use_beta1',
  'base_momentums',
  'max_momentums',
]);
/** What PyTorch before 2.7 kept beside: a switch for messages, and OneCycleLR's bound method. */
export const FORMER: readonly string[] = ['verbose', 'anneal_func'];

/** Schedulers of schedulers of …; a file may nest them without end. */
const DEEPEST = 8;

/** Null where the value is no state_dict of a scheduler that the lab has. */
export function recogniseScheduler(
  saved: Value | undefined,
  groups: readonly Dict[] = [],
): RecognisedScheduler | null {
  try {
    return recognise(saved, groups, 0);
  } catch (error) {
    if (error instanceof FindingError) return null;
    throw error;
  }
}

function recognise(
  saved: Value | undefined,
  groups: readonly Dict[],
  depth: number,
): RecognisedScheduler | null {
  if (!isDict(saved) || depth > DEEPEST) return null;
  for (const [name, kind] of Object.entries(kinds) as [SchedulerName, (typeof kinds)['StepLR']][]) {
    const known = new Set<Value>([...kind.attributes, ...FORMER]);
    if (![...saved.keys()].every((key) => known.has(key))) continue;
    if (!kind.attributes.every((key) => OPTIONAL.has(key) || saved.has(key))) continue;
    const options = kind.recall(new Attributes(saved), groups);
    if (!kind.attributes.includes('_schedulers')) {
      return { name, settings: { name, options }, certain: name !== 'LambdaLR' };
    }
    const list = saved.get('_schedulers');
    const parts = isList(list) ? list.items.map((part) => recognise(part, groups, depth + 1)) : [];
    const complete = parts.filter((part) => part !== null);
    if (complete.length < parts.length) return null;
    const schedulers = complete.map(({ settings }) => settings);
    const certain = complete.every((part) => part.certain);
    return { name, settings: { name, options, schedulers }, certain };
  }
  return null;
}

export interface FoundScheduler {
  /** Key at the top of the checkpoint; the state_dict lies there, or in a list there. */
  readonly key: string;
  readonly dict: Dict;
  readonly scheduler: RecognisedScheduler;
}

/** The first scheduler at the top of a checkpoint; null where there is none. */
export function findScheduler(root: Value, groups: readonly Dict[] = []): FoundScheduler | null {
  if (!isDict(root)) return null;
  for (const [key, value] of root.entries()) {
    for (const dict of isList(value) ? value.items : [value]) {
      const scheduler = recogniseScheduler(dict, groups);
      if (scheduler && isDict(dict) && typeof key === 'string') return { key, dict, scheduler };
    }
  }
  return null;
}
