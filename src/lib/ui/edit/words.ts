/** What edits are called, in the list and in the menu. */
import type { Edit, EditChange, MergeHow } from '#lib/worker/protocol.ts';
import { pathText } from './paths.ts';

/** Names that a title lists. */
const MAX_LISTED = 3;

function listed(names: readonly string[]): string {
  if (names.length === 0) return '…';
  const more = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : '';
  return names.slice(0, MAX_LISTED).join(', ') + more;
}

function everywhere(names: readonly string[], verb: string, all: string): string {
  return names.join() === '*' ? all : `${verb} ${listed(names)}`;
}

/** One line on what an edit does. */
export function editTitle(edit: Edit): string {
  switch (edit.kind) {
    case 'rename': {
      const [rule] = edit.rules;
      if (!rule || edit.rules.length > 1) return `Rename by ${edit.rules.length} rules`;
      if (rule.kind === 'replace') return `Replace /${rule.pattern}/ by “${rule.with}”`;
      return `${rule.kind === 'strip' ? 'Strip' : 'Add'} “${rule.prefix}”`;
    }
    case 'names': {
      const [pair] = edit.names;
      return pair && edit.names.length === 1
        ? `Rename ${pair[0]} to ${pair[1]}`
        : `Rename ${edit.names.length} names`;
    }
    case 'keep':
      return `Keep only ${listed(edit.names)}`;
    case 'drop':
      return `Drop ${listed(edit.names)}`;
    case 'cast':
      return `Cast ${edit.names.join() === '*' ? '' : `${listed(edit.names)} `}to ${edit.to}`;
    case 'compact':
      return everywhere(edit.names, 'Compact', 'Compact views');
    case 'untie':
      return everywhere(edit.names, 'Untie', 'Untie shared tensors');
    case 'tie':
      return `Tie ${listed(edit.names)}`;
    case 'set':
      return `Set ${pathText(edit.path) || '…'} to ${edit.value || '…'}`;
    case 'put':
      return `Put a tensor at ${pathText(edit.path) || '…'}`;
    case 'delete':
      return `Delete ${pathText(edit.path) || '…'}`;
    case 'metadata':
      return `Change metadata: ${listed(Object.keys(edit.entries))}`;
    case 'extract':
      return `Extract ${pathText(edit.path) || '…'}`;
    case 'flatten':
      return `Flatten with “${edit.separator}”`;
    case 'unflatten':
      return `Unflatten at “${edit.separator}”`;
    case 'merge':
      return mergeTitle(edit.how, edit.others.length);
    case 'lora':
      return `Merge LoRA ${edit.other === null ? 'of this file' : 'of another'} into the weights`;
    default:
      return edit satisfies never;
  }
}

function mergeTitle(how: MergeHow, others: number): string {
  const what = `${others} other${others === 1 ? '' : 's'}`;
  switch (how.kind) {
    case 'disjoint':
      return `Join with ${what}`;
    case 'weighted':
      return `Weighted sum with ${what}`;
    case 'slerp':
      return `SLERP, t = ${how.t}`;
    case 'ema':
      return `Moving average over ${what}`;
    case 'task':
      return `Task arithmetic over ${what}`;
    default:
      return how satisfies never;
  }
}

export const changeWords: Readonly<Record<EditChange, string>> = {
  renamed: 'renamed',
  cast: 'cast',
  changed: 'changed',
  new: 'new',
  dropped: 'dropped',
  same: 'same',
};
