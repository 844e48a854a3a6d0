/**
 * How the names of one checkpoint become those of another: by prefixes that wrappers put before
 * them (`module.`, `_orig_mod.`, `model.`), or by what all names on a side begin with.
 */
import { escaped } from '#lib/checkpoint/glob.ts';
import { previewRename, type RenameRule } from '#lib/edit/rename.ts';
import type { NamedTensor } from './named_tensors.ts';

/** Prefixes that are tried on each side; the ones that most names speak for. */
const MOST_TRIED = 4;

export interface Naming {
  /** Rules for the names of `b`; none where the names fit as they stand, or nothing is clear. */
  readonly rules: readonly RenameRule[];
  /** Two or more ways that pair as many tensors, but others: a person has to choose. */
  readonly choices: readonly (readonly RenameRule[])[];
}

/** Rules with which most tensors of `b` meet one of the same name and shape in `a`. */
export function detectNaming(a: readonly NamedTensor[], b: readonly NamedTensor[]): Naming {
  const shapes = new Map(a.map(({ name, tensor }) => [name, tensor.shape.join()]));
  const keys = b.map(({ name }) => name);
  /** Who meets whom; null where two names would become one. */
  const meet = (rules: readonly RenameRule[]) => {
    const renamed = previewRename(keys, rules);
    if (renamed.some(({ clash }) => clash !== undefined)) return null;
    return renamed.flatMap(({ to }, at) =>
      shapes.get(to) === b[at]!.tensor.shape.join() ? `${at} ${to}` : [],
    );
  };
  let most = meet([])!.length;
  let best: readonly (readonly RenameRule[])[] = [];
  let pairings = new Set<string>();
  for (const rules of candidates([...shapes.keys()], keys)) {
    const met = meet(rules);
    if (met === null || met.length < most || met.length === 0) continue;
    if (met.length === most && best.length === 0) continue; // no better than none
    if (met.length > most) [most, best, pairings] = [met.length, [], new Set()];
    const pairing = met.join('\n');
    if (pairings.has(pairing)) continue;
    pairings.add(pairing);
    best = [...best, rules];
  }
  return best.length > 1 ? { rules: [], choices: best } : { rules: best[0] ?? [], choices: [] };
}

/** The rules where they are clear. */
export function detectRules(
  a: readonly NamedTensor[],
  b: readonly NamedTensor[],
): readonly RenameRule[] {
  return detectNaming(a, b).rules;
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
  if (b.some((name) => inner.test(name))) yield [{ kind: 'replace', pattern, with: '$1' }];
  const wrapped = wrappedIn(a);
  if (wrapped.length > 0 && wrapped.length <= MOST_WRAPPED) yield wrapped;
}

/** Wrappers of a part of the model: `encoder._orig_mod.0.weight`. */
const pattern =
  '(^|\\.)(?:(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module|module)\\.)+';
const inner = new RegExp(pattern);
/** More parts than these are not wrapped one by one. */
const MOST_WRAPPED = 64;

/** Rules that put the wrappers of some parts where `names` have them; the longest part first. */
function wrappedIn(names: readonly string[]): RenameRule[] {
  const parts = new Map<string, string>();
  for (const name of names) {
    const [wrappers, before] = inner.exec(name) ?? [];
    if (wrappers === undefined) continue;
    const end = name.indexOf(wrappers) + before!.length;
    parts.set(name.slice(0, end), wrappers.slice(before!.length));
  }
  const longestFirst = [...parts].sort(([one], [other]) => other.length - one.length);
  return longestFirst.map(([part, wrappers]) => ({
    kind: 'replace',
    pattern: `^${escaped(part)}`,
    with: `${part}${wrappers}`.replaceAll('$', '$$$$'),
  }));
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
