import type { Edit, MergeHow } from '#lib/worker/protocol.ts';
import { pathText } from './paths.ts';
import { words } from './words.ts';

const { titles } = words;

/** Names that a title lists. */
const MAX_LISTED = 3;

function listed(names: readonly string[]): string {
  if (names.length === 0) return titles.unknown;
  const more = names.length > MAX_LISTED ? titles.more(names.length - MAX_LISTED) : '';
  return names.slice(0, MAX_LISTED).join(', ') + more;
}

/** Null for all of them. */
const some = (names: readonly string[]) => (names.join() === '*' ? null : listed(names));

/** One line on what an edit does. */
export function editTitle(edit: Edit): string {
  switch (edit.kind) {
    case 'rename': {
      const [rule] = edit.rules;
      if (!rule || edit.rules.length > 1) return titles.rules(edit.rules.length);
      return 'prefix' in rule
        ? titles[rule.kind](rule.prefix)
        : titles[rule.kind](rule.pattern, rule.with);
    }
    case 'names': {
      const [pair] = edit.names;
      return pair && edit.names.length === 1
        ? titles.name(...pair)
        : titles.names(edit.names.length);
    }
    case 'cat':
      return titles.cat(edit.parts.length, edit.whole || titles.unknown);
    case 'chunk':
      return titles.chunk(edit.whole || titles.unknown, edit.parts.length);
    case 'keep':
    case 'drop':
    case 'tie':
      return titles[edit.kind](listed(edit.names));
    case 'cast':
      return titles.cast(some(edit.names), edit.to);
    case 'compact':
    case 'untie':
      return titles[edit.kind](some(edit.names));
    case 'set':
      return titles.set(pathText(edit.path) || titles.unknown, edit.value || titles.unknown);
    case 'put':
    case 'delete':
    case 'extract':
      return titles[edit.kind](pathText(edit.path) || titles.unknown);
    case 'metadata':
      return titles.metadata(listed(Object.keys(edit.entries)));
    case 'flatten':
    case 'unflatten':
      return titles[edit.kind](edit.separator);
    case 'merge':
      return mergeTitle(edit.how, edit.others.length);
    case 'lora':
      return titles.lora(edit.other !== null);
    default:
      return edit satisfies never;
  }
}

function mergeTitle(how: MergeHow, others: number): string {
  return how.kind === 'slerp' ? titles.slerp(how.t) : titles[how.kind](others);
}
