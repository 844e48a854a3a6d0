/**
 * A list of edits as a JSON text. It may come from anywhere, so that every field is looked at, and
 * one that is not known is an error that names its place.
 */
import { dtypes, type Dtype } from '#lib/checkpoint/dtype.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { Edit, MergeHow } from '#lib/edit/edits.ts';
import type { RenameRule } from '#lib/edit/rename.ts';
import type { ListedEdit } from './protocol.edit.ts';

/** Longer lists are no list that a person made. */
const MAX_EDITS = 1000;

/** Reads `{"version": 1, "edits": […]}`. Throws a FindingError that names what is wrong. */
export function readEdits(text: string): ListedEdit[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw wrong('it is no JSON', (error as Error).message);
  }
  const { edits } = object({ version: one(1), edits: list(listedEdit) })(json, 'the list');
  if (edits.length > MAX_EDITS) throw wrong('edits', `holds ${edits.length} of them`);
  return edits;
}

function wrong(where: string, what: string): FindingError {
  return new FindingError({
    code: 'edits-json',
    where,
    message: `edits: ${where}: ${what}`,
    advice: 'Choose a .json file that the Edit page exported.',
  });
}

/** Gives a value its type, or throws. */
type Check<T> = (value: unknown, where: string) => T;

const text: Check<string> = (value, where) => {
  if (typeof value !== 'string') throw wrong(where, `expected a text, not ${told(value)}`);
  return value;
};
const number: Check<number> = (value, where) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw wrong(where, `expected a number, not ${told(value)}`);
  }
  return value;
};
const whole: Check<number> = (value, where) => {
  if (!Number.isSafeInteger(value)) throw wrong(where, `expected an integer, not ${told(value)}`);
  return value as number;
};
const dtype: Check<Dtype> = (value, where) => {
  if (typeof value === 'string' && Object.hasOwn(dtypes, value)) return value as Dtype;
  throw wrong(where, `expected a dtype, not ${told(value)}`);
};

function told(value: unknown): string {
  if (value === undefined) return 'nothing';
  return (JSON.stringify(value) ?? String(value)).slice(0, 60);
}

function one<T extends string | number | boolean>(...known: T[]): Check<T> {
  return (value, where) => {
    const found = known.find((it) => it === value);
    if (found === undefined) {
      throw wrong(
        where,
        `expected ${known.map((it) => JSON.stringify(it)).join(' or ')}, not ${told(value)}`,
      );
    }
    return found;
  };
}

function orNull<T>(check: Check<T>): Check<T | null> {
  return (value, where) => (value === null ? null : check(value, where));
}

function list<T>(check: Check<T>): Check<T[]> {
  return (value, where) => {
    if (!Array.isArray(value)) throw wrong(where, `expected a list, not ${told(value)}`);
    return value.map((item, at) => check(item, `${where}[${at}]`));
  };
}

const pair: Check<[string, string]> = (value, where) => {
  const [from, to, ...rest] = list(text)(value, where);
  if (from === undefined || to === undefined || rest.length > 0) throw wrong(where, 'is no pair');
  return [from, to];
};

function object<T extends object>(
  fields: { readonly [K in keyof T]: Check<T[K]> },
  optional: readonly string[] = [],
): Check<T> {
  return (value, where) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw wrong(where, `expected an object, not ${told(value)}`);
    }
    const unknown = Object.keys(value).find((key) => !Object.hasOwn(fields, key));
    if (unknown !== undefined) throw wrong(where, `has the unknown field ${told(unknown)}`);
    const made: Partial<T> = {};
    for (const key of Object.keys(fields) as (keyof T & string)[]) {
      const isThere = Object.hasOwn(value, key);
      if (isThere || !optional.includes(key)) {
        made[key] = fields[key]((value as Record<string, unknown>)[key], `${where}.${key}`);
      }
    }
    return made as T;
  };
}

/** The member of a union that has the kind, with that kind alone. */
type OfKind<T, K> = T extends { readonly kind: infer P }
  ? K extends P
    ? Omit<T, 'kind'> & { readonly kind: K }
    : never
  : never;

/** One of several objects, told apart by their `kind`. */
function byKind<T extends { readonly kind: string }>(kinds: {
  readonly [K in T['kind']]: Check<OfKind<T, K>>;
}): Check<T> {
  return (value, where) => {
    const kind = (value as { kind?: unknown } | null)?.kind;
    if (typeof kind !== 'string' || !Object.hasOwn(kinds, kind)) {
      throw wrong(where, `is of the unknown kind ${told(kind)}`);
    }
    return kinds[kind as T['kind']](value, where) as unknown as T;
  };
}

const path = list(text);
const place = orNull(path);
const prefix = { prefix: text };
const pattern = { pattern: text, with: text };
const rule = byKind<RenameRule>({
  strip: object({ kind: one('strip'), ...prefix }),
  add: object({ kind: one('add'), ...prefix }),
  replace: object({ kind: one('replace'), ...pattern }),
  path: object({ kind: one('path'), ...pattern }),
});
const how = byKind<MergeHow>({
  disjoint: object({ kind: one('disjoint') }),
  weighted: object({ kind: one('weighted'), weights: list(number) }),
  slerp: object({ kind: one('slerp'), t: number }),
  ema: object({ kind: one('ema'), decay: number }),
  task: object({ kind: one('task'), scales: list(number) }),
});
const entries: Check<Record<string, string | null>> = (value, where) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrong(where, `expected an object, not ${told(value)}`);
  }
  const pairs = Object.entries(value).map(([key, it]) => [
    key,
    orNull(text)(it, `${where}.${key}`),
  ]);
  return Object.fromEntries(pairs) as Record<string, string | null>;
};

const names = list(text);
const named = <K extends 'keep' | 'drop' | 'compact' | 'untie' | 'tie'>(kind: K) =>
  object({ kind: one(kind), names });
const divided = <K extends 'cat' | 'chunk'>(kind: K) =>
  object({ kind: one(kind), in: place, parts: names, whole: text });
const separated = <K extends 'flatten' | 'unflatten'>(kind: K) =>
  object({ kind: one(kind), separator: text });

const edit = byKind<Edit>({
  rename: object({ kind: one('rename'), in: place, rules: list(rule) }),
  names: object({ kind: one('names'), in: place, names: list(pair) }),
  cat: divided('cat'),
  chunk: divided('chunk'),
  keep: named('keep'),
  drop: named('drop'),
  cast: object({ kind: one('cast'), names, to: dtype }),
  compact: named('compact'),
  untie: named('untie'),
  tie: named('tie'),
  set: object({ kind: one('set'), path, value: text }),
  put: object({ kind: one('put'), path, other: whole, from: path }),
  delete: object({ kind: one('delete'), path }),
  metadata: object({ kind: one('metadata'), entries }),
  extract: object({ kind: one('extract'), path }),
  flatten: separated('flatten'),
  unflatten: separated('unflatten'),
  merge: object({
    kind: one('merge'),
    in: place,
    how,
    others: list(object({ other: whole, in: place })),
  }),
  lora: object({
    kind: one('lora'),
    in: place,
    other: orNull(whole),
    scaling: orNull(number),
  }),
});

/** An edit, with `off` where it is not done. */
const listedEdit: Check<ListedEdit> = (value, where) => {
  if (typeof value !== 'object' || value === null) return { edit: edit(value, where), off: false };
  const { off = false, ...rest } = value as { off?: unknown };
  return { edit: edit(rest, where), off: one(true, false)(off, `${where}.off`) };
};
