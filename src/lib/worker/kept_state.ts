/**
 * What a checkpoint holds for going on from it, read back: the twin of `trained.ts`. It takes the
 * lab's own files and those of training scripts, by the names that these use.
 */
import { findOptimizer, parseOptimizer } from '#lib/checkpoint/optimizer.ts';
import { dict, isDict, isTensor, list, type Dict, type Value } from '#lib/checkpoint/value.ts';
import { bestOf } from '#lib/training/best.ts';
import type { Best, Kept, Metrics } from '#lib/training/kept.ts';
import type { RunSettings } from '#lib/training/settings.ts';

/** A kept state but for its weights, which are bound as those of any checkpoint. */
export interface KeptState extends Pick<
  Kept,
  'epoch' | 'batch' | 'step' | 'metrics' | 'stale' | 'partial'
> {
  /** As the file tells it; `bestFor` says what it means for a monitored metric. */
  readonly best: Best | null;
  readonly optimizer: Dict | null;
  readonly scheduler: Dict | null;
  readonly scaler: Dict | null;
  /** The averaged weights by the names of the file's state_dict: `bind` matches them to a model. */
  readonly ema: Dict | null;
  /** Where the lab wrote it: the settings of the run, which no one has checked yet. */
  readonly settings: RunSettings | null;
  /** Where the lab wrote it: the run's id. */
  readonly run: string | null;
}

/** Parts of a checkpoint beside the model. */
export type PartName = 'optimizer' | 'scheduler' | 'scaler' | 'ema';

export interface Part {
  /** Key at the top of the checkpoint; the dict lies there, or in a list there. */
  readonly key: string;
  /** Null where the key holds None. */
  readonly dict: Dict | null;
}

/** Keys under which training scripts keep the metrics. */
export const METRICS = ['metrics', 'metric'];

/** Keys for whole epochs and optimizer steps behind a checkpoint. */
export const COUNTS = {
  epoch: ['epoch', 'current_epoch'],
  step: ['step', 'global_step', 'iteration', 'iter'],
} as const;

const partKeys: Readonly<Record<PartName, RegExp>> = {
  optimizer: /optim/i,
  scheduler: /sched/i,
  scaler: /scaler|^amp$/i,
  ema: /(^|_)(ema|swa|averaged)(_|$)|shadow/i,
};

const isPart: Readonly<Record<PartName, (dict: Dict) => boolean>> = {
  optimizer: (dict) => parseOptimizer(dict) !== null,
  scheduler: (dict) => !dict.has('param_groups'),
  scaler: (dict) => dict.has('scale'),
  ema: (dict) => [...dict.values()].some(isTensor),
};

/** Where a checkpoint keeps optimizer, scheduler, scaler and averaged weights; the first of each. */
export function findParts(root: Value): ReadonlyMap<PartName, Part> {
  const parts = new Map<PartName, Part>();
  if (!isDict(root)) return parts;
  const optimizer = findOptimizer(root);
  if (optimizer) parts.set('optimizer', optimizer);
  const names = Object.keys(partKeys) as PartName[];
  for (const [key, value] of root.entries()) {
    const name = typeof key === 'string' && names.find((it) => partKeys[it].test(key));
    if (!name || parts.get(name)?.dict) continue;
    const items = typeof value === 'object' && value?.kind === 'list' ? value.items : [value];
    const held = items.find(isDict);
    if (held ? isPart[name](held) : value === null) parts.set(name, { key, dict: held ?? null });
  }
  return parts;
}

export function isCount(value: Value | undefined): value is bigint {
  return typeof value === 'bigint' && value >= 0n;
}

/** Reads back what a run goes on from; what the file does not tell is null, 0 or empty. */
export async function keptFrom(root: Value): Promise<KeptState> {
  const top = isDict(root) ? root : dict();
  const parts = findParts(root);
  const part = (name: PartName) => parts.get(name)?.dict ?? null;
  const count = (keys: readonly string[], within = top) => {
    const held = keys.map((key) => within.get(key)).find(isCount);
    return held === undefined ? 0 : Number(held);
  };
  const run = top.get('run');
  const own = isDict(run) && run.has('batch') ? run : dict();
  const [id, settings] = [own.get('id'), own.get('settings')];
  return {
    epoch: count(COUNTS.epoch),
    step: count(COUNTS.step),
    batch: count(['batch'], own),
    stale: count(['stale'], own),
    metrics: numbersOf(METRICS.map((key) => top.get(key)).find(isDict)),
    partial: numbersOf(own.get('partial')),
    best: await bestOf(root),
    optimizer: part('optimizer'),
    scheduler: part('scheduler'),
    scaler: part('scaler'),
    ema: part('ema'),
    settings: isDict(settings) ? (plainJson(settings) as RunSettings) : null,
    run: typeof id === 'string' ? id : null,
  };
}

function numbersOf(value: Value | undefined): Metrics {
  if (!isDict(value)) return {};
  const numbers = [...value.entries()].flatMap(([key, held]): [string, number][] =>
    typeof key === 'string' && (typeof held === 'number' || typeof held === 'bigint')
      ? [[key, Number(held)]]
      : [],
  );
  return Object.fromEntries(numbers);
}

/** Plain JSON as Python would have it: whole numbers are ints. */
export function plainValue(json: unknown): Value {
  if (Array.isArray(json)) return list(...json.map(plainValue));
  if (typeof json === 'object' && json !== null) {
    const entries = Object.entries(json).filter(([, value]) => value !== undefined);
    return dict(Object.fromEntries(entries.map(([key, value]) => [key, plainValue(value)])));
  }
  if (typeof json !== 'number') return json as null | boolean | string;
  return Number.isSafeInteger(json) && !Object.is(json, -0) ? BigInt(json) : json;
}

/** More levels than settings have. */
const MAX_DEPTH = 32;

/** The way back. Throws a TypeError for what is no plain JSON. */
export function plainJson(value: Value, depth = 0): unknown {
  if (depth > MAX_DEPTH) throw new TypeError(`run: settings are nested deeper than ${MAX_DEPTH}`);
  if (typeof value === 'bigint') return Number(value);
  if (value === null || typeof value !== 'object') return value;
  if (value.kind === 'list') return value.items.map((item) => plainJson(item, depth + 1));
  if (!isDict(value)) throw new TypeError(`run: settings hold a ${value.kind}`);
  const entries = [...value.entries()].map(([key, held]) => [
    String(key),
    plainJson(held, depth + 1),
  ]);
  return Object.fromEntries(entries) as unknown;
}
