/**
 * New names for the keys of a state_dict, by rules that people write: a prefix taken off or put
 * before, a pattern replaced, a module moved. A name goes through all rules in their order.
 */
import { FindingError, type Finding } from '#lib/checkpoint/finding.ts';
import { pathStep } from './path_pattern.ts';

export type RenameRule =
  | { readonly kind: 'strip' | 'add'; readonly prefix: string }
  /** A regular expression; every place that fits is replaced, `$1` stands for its first group. */
  | { readonly kind: 'replace'; readonly pattern: string; readonly with: string }
  /** The path of a module that keys begin with, `blocks.{n}`, becomes `layer{n+1}`. */
  | { readonly kind: 'path'; readonly pattern: string; readonly with: string };

export interface Renamed {
  readonly from: string;
  readonly to: string;
  /** The first key that becomes the same one. */
  readonly clash?: string;
}

/** What becomes of each key, in their order. Throws a FindingError for a pattern that is none. */
export function previewRename(keys: readonly string[], rules: readonly RenameRule[]): Renamed[] {
  return previewNames(keys, renaming(rules));
}

/** What becomes of a key. Throws a FindingError for a pattern that is none. */
export function renaming(rules: readonly RenameRule[]): (key: string) => string {
  const steps = rules.map(stepOf);
  return (key) => steps.reduce((name, step) => step(name), key);
}

function previewNames(keys: readonly string[], newName: (key: string) => string): Renamed[] {
  const first = new Map<string, string>();
  return keys.map((from) => {
    const to = newName(from);
    const clash = first.get(to);
    if (clash !== undefined) return { from, to, clash };
    first.set(to, from);
    return { from, to };
  });
}

/** As `previewRename`; throws a FindingError where two keys become one. */
export function rename(keys: readonly string[], rules: readonly RenameRule[]): Renamed[] {
  return renameBy(keys, renaming(rules));
}

/** As `rename`, by any function. */
export function renameBy(keys: readonly string[], newName: (key: string) => string): Renamed[] {
  const renamed = previewNames(keys, newName);
  const wrong = renamed.find(({ clash }) => clash !== undefined);
  if (!wrong) return renamed;
  throw new FindingError({
    code: 'rename-clash',
    message: `rename: "${wrong.clash}" and "${wrong.from}" both become "${wrong.to}"`,
    advice: 'Make the rule longer, so that it takes only one of them.',
  });
}

/** A note for each rule that changes no key by the time it is reached. */
export function idleRules(keys: readonly string[], rules: readonly RenameRule[]): Finding[] {
  let names = [...keys];
  return rules.flatMap((rule) => {
    const step = stepOf(rule);
    const next = names.map(step);
    const isIdle = next.every((name, at) => name === names[at]);
    names = next;
    if (!isIdle) return [];
    return {
      code: 'rename-idle',
      severity: 'warning' as const,
      message: `rename: ${ruleText(rule)} changes no key`,
      advice: 'Compare it with the keys in the file; rules before it have already changed them.',
    };
  });
}

/** A rule in words. */
export function ruleText(rule: RenameRule): string {
  switch (rule.kind) {
    case 'strip':
      return `"${rule.prefix}" taken off`;
    case 'add':
      return `"${rule.prefix}" put before`;
    case 'path':
      return `the path "${rule.pattern}" to "${rule.with}"`;
    case 'replace':
      return `/${rule.pattern}/ replaced by "${rule.with}"`;
    default:
      return rule satisfies never;
  }
}

function stepOf(rule: RenameRule): (key: string) => string {
  switch (rule.kind) {
    case 'strip':
      return (key) => (key.startsWith(rule.prefix) ? key.slice(rule.prefix.length) : key);
    case 'add':
      return (key) => rule.prefix + key;
    case 'path': {
      const step = pathStep(rule.pattern, rule.with, 'rename');
      return (key) => step(key) ?? key;
    }
    case 'replace': {
      const pattern = expression(rule.pattern);
      return (key) => key.replace(pattern, rule.with);
    }
    default:
      return rule satisfies never;
  }
}

function expression(pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'gu');
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^.*: /, '') : String(error);
    throw new FindingError({
      code: 'rename-pattern',
      message: `rename: /${pattern}/ is no regular expression (${reason.toLowerCase()})`,
      advice: 'Write a backslash before brackets and dots that stand for themselves.',
    });
  }
}
