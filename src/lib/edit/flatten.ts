/** Nested dicts as one with joined keys, and the way back. */
import { FindingError } from '#lib/checkpoint/finding.ts';
import { Dict, isDict, isScalar, type Value } from '#lib/checkpoint/value.ts';
import type { Done, Tree } from './apply.ts';
import type { Edit } from './edits.ts';
import { restoreTree } from './kept_tree.read.ts';
import { TREE_KEY } from './kept_tree.ts';

type Separated = Pick<Extract<Edit, { kind: 'flatten' | 'unflatten' }>, 'separator'>;

/** Deeper dicts are no checkpoint's. */
const MAX_DEPTH = 200;

/**
 * Entries of dicts in dicts become entries of one, in their order; lists stay as they are. Throws a
 * FindingError where two come to one key.
 */
export function flatten({ root }: Tree, { separator }: Separated): Done {
  mustSeparate('flatten', separator);
  if (!isDict(root)) throw notADict('flatten');
  const flat = new Dict();
  let changed = 0;
  const add = (dict: Dict, path: readonly string[]): void => {
    if (path.length > MAX_DEPTH) {
      throw new FindingError({
        code: 'flatten-depth',
        message: `flatten: dicts nest over ${MAX_DEPTH} deep, or hold themselves`,
        advice: 'Extract the part that is wanted first.',
      });
    }
    for (const [key, value] of dict.entries()) {
      const keys = [...path, keyText(key)];
      if (isDict(value)) {
        add(value, keys);
        continue;
      }
      const name = keys.join(separator);
      if (flat.has(name)) throw clash('flatten', name);
      flat.set(name, value);
      if (path.length > 0) changed++;
    }
  };
  add(root, []);
  return { root: flat, changed };
}

/**
 * Keys are split at the separator. Where the file's metadata keeps the tree that was flattened, that is
 * restored instead, with all that a flat file cannot hold.
 */
export function unflatten({ root, metadata }: Tree, { separator }: Separated): Done {
  mustSeparate('unflatten', separator);
  if (!isDict(root)) throw notADict('unflatten');
  const kept = metadata.get(TREE_KEY);
  if (kept !== undefined) {
    const restored = restoreTree(root, kept);
    const rest = new Map(metadata);
    rest.delete(TREE_KEY);
    return { ...restored, metadata: rest, changed: root.size };
  }
  const nested = new Dict();
  let changed = 0;
  /** Dicts that were made here: one that was there already is a value like others. */
  const made = new Set<Value>([nested]);
  for (const [key, value] of root.entries()) {
    const keys = typeof key === 'string' ? key.split(separator) : [];
    const last = keys.pop() ?? key;
    let dict = nested;
    for (const part of keys) {
      const known = dict.get(part);
      if (known === undefined) dict.set(part, new Dict());
      else if (!made.has(known)) throw clash('unflatten', String(key));
      dict = dict.get(part) as Dict;
      made.add(dict);
    }
    if (dict.has(last)) throw clash('unflatten', String(key));
    dict.set(last, value);
    if (keys.length > 0) changed++;
  }
  return { root: nested, changed };
}

function mustSeparate(area: string, separator: string): void {
  if (separator !== '') return;
  throw new FindingError({
    code: 'flatten-separator',
    message: `${area}: nothing stands between the keys`,
    advice: 'Write a separator, such as a dot.',
  });
}

function notADict(area: string): FindingError {
  return new FindingError({
    code: 'flatten-dict',
    message: `${area}: the whole is no dict`,
    advice: 'Extract the dict that is meant first.',
  });
}

function clash(area: string, name: string): FindingError {
  return new FindingError({
    code: 'flatten-clash',
    where: name,
    message: `${area}: two entries come to the key ${JSON.stringify(name)}`,
    advice: 'Choose another separator, or rename one of them first.',
  });
}

function keyText(key: Value): string {
  if (key === null) return 'None';
  if (isScalar(key)) return String(key);
  return key.kind === 'tuple' ? `(${key.items.map(keyText).join(', ')})` : `<${key.kind}>`;
}
