/** Keeps some tensors and values alone, or drops some. */
import { FindingError, type Finding } from '#lib/checkpoint/finding.ts';
import type { ObjectValue } from '#lib/checkpoint/value.ts';
import type { Done, Tree } from './apply.ts';
import type { Edit } from './edits.ts';
import { listed } from './listed.ts';
import { mapPlaces, placesIn, type Place } from './places.ts';
import { Selection } from './selection.ts';

type SelectEdit = Extract<Edit, { kind: 'keep' | 'drop' }>;

/**
 * Containers that are left empty go with what was in them. A pickled object goes or stays as a
 * whole: what is in it are attributes of its class. Throws a FindingError where nothing would be left.
 */
export function select({ root }: Tree, { kind, names }: SelectEdit): Done {
  const selection = new Selection(kind, names);
  /** Whether anything in a container stays. */
  const kept = new Map<ObjectValue, boolean>();
  const stays = (place: Place): boolean => {
    if (place.within.object !== null) return true;
    if (!isLeaf(place)) return kept.get(place.value as ObjectValue) ?? true; // it contains itself
    return (selection.takes(place) !== null) === (kind === 'keep');
  };
  const places = placesIn(root);
  let changed = 0;
  for (const place of places) {
    const isKept = stays(place);
    if (!isKept && isLeaf(place)) changed++;
    if (place.container) kept.set(place.container, isKept || kept.get(place.container) === true);
    else if (!isKept) throw nothingLeft(kind);
  }
  if (kept.get(root as ObjectValue) === false) throw nothingLeft(kind);
  return {
    root: mapPlaces(root, (place) => (stays(place) ? place.value : undefined)),
    changed,
    findings: [...insideObjects(kind, selection, places), ...selection.idle('tensor or value')],
  };
}

/** What goes or stays by itself. */
function isLeaf({ isContainer, value }: Place): boolean {
  return !isContainer || (value as ObjectValue).kind === 'call';
}

function nothingLeft(kind: string): FindingError {
  return new FindingError({
    code: 'edit-empty',
    message: `${kind}: nothing would be left`,
    advice: 'Compare the names with those of the tensors; * stands for any text.',
  });
}

function insideObjects(kind: string, selection: Selection, places: readonly Place[]): Finding[] {
  const inside = places.filter((it) => it.within.object !== null && selection.takes(it) !== null);
  if (inside.length === 0) return [];
  const objects = new Set(inside.map(({ within }) => within.object!));
  return [
    {
      code: 'edit-object',
      severity: 'warning',
      message: `${kind}: ${listed([...objects])} is a pickled object, from which nothing is taken`,
      advice: 'Of a model that was saved whole, extract the state_dict first.',
    },
  ];
}
