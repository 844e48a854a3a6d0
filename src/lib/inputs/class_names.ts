/**
 * Names of the classes: from a dropped text file (one name a line), from JSON in the forms that go
 * round (a list; `{"0": "tench"}`; ImageNet's `{"0": ["n01440764", "tench"]}`; a config with
 * `id2label`), or from the checkpoint itself.
 */
import { FindingError } from '#lib/checkpoint/finding.ts';
import { isDict, type Dict, type Value } from '#lib/checkpoint/value.ts';
import { isJsonObject, parseJson, type Json } from '#lib/formats/json.ts';

/** Keys of checkpoints and configs under which names lie; then those from name to index. */
const BY_INDEX = [
  'class_names',
  'classes',
  'idx_to_class',
  'id2label',
  'labels',
  'categories',
  'names',
];
const BY_NAME = ['class_to_idx', 'label2id'];
/** Dicts of a checkpoint that may hold them. */
const PLACES = ['meta', 'config', 'args', 'hyper_parameters', 'model_args'];
/** ImageNet-21k has 21,843 classes. */
const MAX_CLASSES = 2 ** 17;

/** Reads a dropped file. Throws a FindingError that says what was expected. */
export function readClassNames(bytes: Uint8Array, file: string): string[] {
  const names = /\.json$/i.test(file) ? fromJson(bytes, file) : fromLines(bytes);
  if (names && names.length > 0 && names.length <= MAX_CLASSES) return names;
  throw refuse(`${file} holds no names of classes`);
}

function refuse(message: string): FindingError {
  return new FindingError({
    code: 'names-unsuitable',
    message: `class names: ${message}`,
    advice: 'Expected: one name a line, a JSON list, or a JSON object from index to name.',
  });
}

function fromLines(bytes: Uint8Array): string[] {
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/);
  while (lines.at(-1)?.trim() === '') lines.pop();
  return lines.map((line) => line.trim());
}

function fromJson(bytes: Uint8Array, file: string): string[] | null {
  let json: Json;
  try {
    json = parseJson(bytes);
  } catch (error) {
    throw refuse(`${file} is no JSON: ${(error as Error).message}`);
  }
  const entries = entriesOfJson(json);
  if (!entries) return null;
  const inside = entries.find(([key]) => [...BY_INDEX, ...BY_NAME].includes(String(key)));
  return inOrder(inside ? (entriesOfJson(inside[1]) ?? []) : entries, nameOfJson);
}

type Entries<T> = readonly (readonly [string | number, T])[];

function entriesOfJson(json: Json): Entries<Json> | null {
  if (Array.isArray(json)) return [...json.entries()];
  return isJsonObject(json) ? json.pairs : null;
}

/** A name, or the last of `["n01440764", "tench"]`. */
function nameOfJson(json: Json): string | number | null {
  if (Array.isArray(json)) return nameOfJson(json.at(-1) ?? null);
  if (typeof json === 'bigint') return Number(json);
  return typeof json === 'string' ? json : null;
}

/** The names that a checkpoint brings; null where it brings none. */
export function findClassNames(root: Value): string[] | null {
  if (!isDict(root)) return null;
  for (const place of [root, ...PLACES.map((name) => root.get(name))].filter(isDict)) {
    for (const key of [...BY_INDEX, ...BY_NAME]) {
      const entries = entriesOfValue(place.get(key));
      const names = entries && inOrder(entries, nameOfValue);
      if (names && names.length > 0) return names;
    }
  }
  return null;
}

function entriesOfValue(value: Value | undefined): Entries<Value> | null {
  if (isDict(value)) return entriesOfDict(value);
  if (typeof value !== 'object' || value === null) return null;
  return value.kind === 'list' || value.kind === 'tuple' ? [...value.items.entries()] : null;
}

function entriesOfDict(dict: Dict): Entries<Value> | null {
  if (dict.size > MAX_CLASSES) return null;
  return [...dict.entries()].map(([key, value]) => [
    typeof key === 'bigint' ? Number(key) : String(key),
    value,
  ]);
}

function nameOfValue(value: Value): string | number | null {
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'string' ? value : null;
}

/** From index to name, or from name to index: every index from 0 on once, else null. */
function inOrder<T>(entries: Entries<T>, nameOf: (value: T) => string | number | null) {
  const names: string[] = [];
  for (const [key, value] of entries) {
    const other = nameOf(value);
    const [index, name] = typeof other === 'number' ? [other, String(key)] : [Number(key), other];
    const isIndex = Number.isInteger(index) && index >= 0 && index < entries.length;
    if (name === null || !isIndex || names[index] !== undefined) return null;
    names[index] = name;
  }
  return names;
}
