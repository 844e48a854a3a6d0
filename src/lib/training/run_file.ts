/**
 * run.json: what a run is and how far it has come, beside its checkpoints. It is written last, so
 * what it tells of lies on the disk already. A folder may come from elsewhere: what is read from it
 * is checked before anything is made of it.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { ModelEdits } from '#lib/architecture/edits.ts';
import type { DataWish } from '#lib/inputs/data/choices.ts';
import type { DataRecipe } from '#lib/inputs/data/dataset.ts';
import type { Best, Metrics } from './kept.ts';
import type { RunSettings } from './settings.ts';

/** What stays the same for a whole run. */
export interface RunFacts {
  /** Names the run's folder on the browser's own disk, and its lock. */
  readonly id: string;
  /** When it was first started, as ISO 8601. */
  readonly started: string;
  readonly settings: RunSettings;
  /** The epoch that it is to end with. */
  readonly end: number;
  readonly model: {
    /** The class's name. */
    readonly name: string;
    /** Null where the opened file brings its own forward pass. */
    readonly source: {
      readonly files: readonly { readonly name: string; readonly text: string }[];
      readonly candidate: string;
      /** Which one, where several files have a model of that name. */
      readonly file: string | null;
      /** Constructor arguments as Python literals. */
      readonly arguments: Readonly<Record<string, string>>;
    } | null;
    readonly edits: ModelEdits;
    /** The file that was opened, and the keys to the state_dict in it. */
    readonly checkpoint: { readonly name: string; readonly stateDict: readonly string[] };
  };
  readonly data: {
    readonly name: string;
    readonly fingerprint: string;
    readonly recipe: DataRecipe;
    /** What the person had chosen of it: read with that, the files give the same examples. */
    readonly wish: DataWish;
  };
  /** Files that the run needs beside its checkpoints. */
  readonly inputs: readonly RunInput[];
  readonly backend: { readonly name: string; readonly adapter: string };
  /** Of the lab, and of what wrote the opened file. */
  readonly versions: Readonly<Record<string, string>>;
}

/** A file of the data, or the model's own where it holds the forward pass. */
export interface RunInput {
  readonly role: 'data' | 'model';
  /** Relative to the folder that was dropped, with slashes. */
  readonly path: string;
  readonly bytes: number;
  /** Where it begins in inputs.bin; null where it was too large to copy and must be brought again. */
  readonly copy: number | null;
}

/** How far a kept state has come. */
export interface Place {
  readonly epoch: number;
  readonly batch: number;
  readonly step: number;
}

export interface RunFile extends RunFacts {
  readonly version: 1;
  /**
   * `ended` at its last epoch, by early stopping, or by the person. `running` also where it was cut
   * off: whether it is, its lock tells.
   */
  readonly state: 'running' | 'ended';
  readonly updated: string;
  /** Of the last kept state; null before the first. */
  readonly place: Place | null;
  readonly metrics: Metrics;
  readonly best: Best | null;
  /** The checkpoints that this run has written and not pruned, by name. */
  readonly files: Readonly<Record<string, Place>>;
}

/** Longest run.json that is read: settings and sources, no data. */
const MAX_CHARACTERS = 2 ** 26;

/** Reads run.json. Throws a FindingError that names the field. */
export function readRunFile(text: string): RunFile {
  if (text.length > MAX_CHARACTERS) throw refuse(`${text.length} characters are too many`);
  let run: unknown;
  try {
    run = JSON.parse(text);
  } catch (error) {
    throw refuse(`no JSON: ${(error as Error).message}`);
  }
  check(run, shape, '');
  return run as RunFile;
}

type Shape =
  'string' | 'number' | { readonly [key: string]: Shape } | ((value: unknown) => boolean);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const place = { epoch: 'number', batch: 'number', step: 'number' } as const;
const isNull = (value: unknown) => value === null;

/** What of it the lab reads by itself; settings, edits and recipes are checked where they are used. */
const shape: Shape = {
  version: (value) => value === 1,
  id: (value) => typeof value === 'string' && /^[\w-]{1,64}$/.test(value),
  started: 'string',
  end: 'number',
  settings: { name: 'string', epochs: 'number', monitor: isObject, keep: isObject },
  model: {
    name: 'string',
    source: (value) =>
      isNull(value) ||
      matches(value, {
        files: (files) =>
          Array.isArray(files) &&
          files.every((it) => matches(it, { name: 'string', text: 'string' })),
        candidate: 'string',
        file: (file) => isNull(file) || typeof file === 'string',
        arguments: (texts) =>
          isObject(texts) && Object.values(texts).every((it) => typeof it === 'string'),
      }),
    edits: isObject,
    checkpoint: { name: 'string', stateDict: Array.isArray },
  },
  data: { name: 'string', fingerprint: 'string', recipe: isObject, wish: isObject },
  inputs: (value) =>
    Array.isArray(value) &&
    value.every((it) =>
      matches(it, {
        role: (role) => role === 'data' || role === 'model',
        path: 'string',
        bytes: 'number',
        copy: (copy) => isNull(copy) || (typeof copy === 'number' && copy >= 0),
      }),
    ),
  backend: { name: 'string', adapter: 'string' },
  versions: isObject,
  state: (value) => value === 'running' || value === 'ended',
  updated: 'string',
  place: (value) => isNull(value) || matches(value, place),
  metrics: isObject,
  best: (value) =>
    isNull(value) ||
    matches(value, {
      epoch: 'number',
      metric: 'string',
      mode: (mode) => mode === 'min' || mode === 'max',
      value: 'number',
    }),
  files: (value) => isObject(value) && Object.values(value).every((it) => matches(it, place)),
};

function matches(value: unknown, expected: Shape): boolean {
  try {
    check(value, expected, '');
    return true;
  } catch {
    return false;
  }
}

function check(value: unknown, expected: Shape, where: string): void {
  if (typeof expected === 'function') {
    if (!expected(value)) throw refuse(`${where || 'the whole'} is ${brief(value)}`);
  } else if (typeof expected === 'string') {
    if (typeof value !== expected)
      throw refuse(`${where} is ${brief(value)}, expected a ${expected}`);
  } else {
    if (!isObject(value))
      throw refuse(`${where || 'the whole'} is ${brief(value)}, expected an object`);
    for (const [key, part] of Object.entries(expected)) {
      check(
        Object.hasOwn(value, key) ? value[key] : undefined,
        part as Shape,
        where ? `${where}.${key}` : key,
      );
    }
  }
}

function brief(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value).slice(0, 40);
}

function refuse(what: string): FindingError {
  return new FindingError({
    code: 'run-file',
    message: `run.json: ${what}`,
    advice: 'Its checkpoints can be opened by themselves; training can go on from any of them.',
  });
}
