/**
 * How the names of one checkpoint become those of another: by prefixes that wrappers put before
 * them (`module.`, `_orig_mod.`, `model.`), or by what all names on a side begin with.
 */
import { previewRename, type RenameRule } from '#lib/edit/rename.ts';
import type { NamedTensor } from './named_tensors.ts';

/** Prefixes that are tried on each side; the ones that most names speak for. */
const MOST_TRIED = 4;

/**
 * Rules for the names of `b` with which most tensors meet one of the same name and shape in `a`;
 * none where that is so as they stand.
 */
export function detectRules(a: readonly NamedTensor[], b: readonly NamedTensor[]): RenameRule[] {
  const shapes = new Map(a.map(({ name, tensor }) => [name, tensor.shape.join()]));
  const keys = b.map(({ name }) => name);
  const meet = (rules: readonly RenameRule[]) => {
    const renamed = previewRename(keys, rules);
    if (renamed.some(({ clash }) => clash !== undefined)) return -1;
    return renamed.filter(({ to }, at) => shapes.get(to) === b[at]!.tensor.shape.join()).length;
  };
  let best: RenameRule[] = [];
  let most = meet(best);
  for (const rules of candidates([...shapes.keys()], keys)) {
    const count = meet(rules);
    if (count > most) [best, most] = [rules, count];
  }
  return best;
}

/** Fewer rules come first. */
function* candidates(a: readonly string[], b: readonly string[]): Generator<RenameRule[]> {
  const strip = votes(b, new Set(a)).map((prefix): RenameRule => ({ kind: 'strip', prefix }));
  const add = votes(a, new Set(b)).map((prefix): RenameRule => ({ kind: 'add', prefix }));
  for (const rule of [...strip, ...add]) yield [rule];
  // Another prefix on each side: `module.` here, `_orig_mod.` there.
  for (const off of commonPrefixes(b)) {
    for (const on of commonPrefixes(a)) {
      yield [
        { kind: 'strip', prefix: off },
        { kind: 'add', prefix: on },
      ];
    }
  }
}

/** Prefixes, up to a dot, without which names are in `others`; the most usual first. */
function votes(names: readonly string[], others: ReadonlySet<string>): string[] {
  const counts = new Map<string, number>();
  for (const name of names) {
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      if (!others.has(name.slice(dot + 1))) continue;
      const prefix = name.slice(0, dot + 1);
      counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
    }
  }
  const sorted = [...counts].sort(([, one], [, other]) => other - one);
  return sorted.slice(0, MOST_TRIED).map(([prefix]) => prefix);
}

/** What all names begin with, up to each of its dots: `a.`, `a.b.`. */
function commonPrefixes([first = '', ...rest]: readonly string[]): string[] {
  let length = first.lastIndexOf('.') + 1;
  for (const name of rest) {
    while (length > 0 && !name.startsWith(first.slice(0, length))) {
      length = first.lastIndexOf('.', length - 2) + 1;
    }
  }
  const prefixes: string[] = [];
  for (let dot = first.indexOf('.'); dot >= 0 && dot < length; dot = first.indexOf('.', dot + 1)) {
    prefixes.push(first.slice(0, dot + 1));
  }
  return prefixes.slice(0, MOST_TRIED);
}
