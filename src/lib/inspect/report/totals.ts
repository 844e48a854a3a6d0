/** What the tensors of a file come to, by dtype and by the beginnings of their names. */
import { numel, type Tensor } from '#lib/checkpoint/tensor.ts';

export interface Total {
  readonly name: string;
  readonly tensors: number;
  readonly elements: number;
  /** What they take of all storages: tensors that share their elements count once. */
  readonly stored: number;
}

/** Tensors with their keys joined by dots. */
type Placed = readonly {
  readonly name: string;
  readonly tensor: Tensor;
  readonly stored: number;
}[];

/** A row for each dtype, the largest first. */
export function totalsByDtype(placed: Placed): Total[] {
  const groups = Map.groupBy(placed, ({ tensor }) => tensor.dtype);
  const rows = [...groups].map(([dtype, members]) => totalOf(dtype, members));
  return rows.sort((a, b) => b.stored - a.stored);
}

/**
 * Rows by the first parts of the names, in the order of the file: the largest one is divided, as long
 * as its parts are more than single tensors and there are not more than `most` rows in all.
 */
export function totalsByPrefix(placed: Placed, most: number): Total[] {
  const groups = [groupOf('', placed)];
  const whole = new Set<Group>();
  for (;;) {
    const largest = groups
      .filter((group) => !whole.has(group))
      .reduce<Group | null>((a, b) => (a && a.total.stored >= b.total.stored ? a : b), null);
    if (!largest) return groups.map(({ total }) => total);
    const parts = partsOf(largest);
    // Of a nested dict and a key with a dot, the names may be the same.
    const isWhole = parts.every((it) => it.members.length === 1 || it.prefix === largest.prefix);
    if (isWhole || groups.length - 1 + parts.length > most) whole.add(largest);
    else groups.splice(groups.indexOf(largest), 1, ...parts);
  }
}

interface Group {
  readonly prefix: string;
  readonly members: Placed;
  readonly total: Total;
}

function groupOf(prefix: string, members: Placed): Group {
  return { prefix, members, total: totalOf(prefix || 'all tensors', members) };
}

/** By one part of the names more. */
function partsOf({ prefix, members }: Group): Group[] {
  const from = prefix === '' ? 0 : prefix.length + 1;
  const parts = Map.groupBy(members, ({ name }) => {
    const dot = name.indexOf('.', from);
    return dot < 0 ? name : name.slice(0, dot);
  });
  return [...parts].map(([name, part]) => groupOf(name, part));
}

function totalOf(name: string, members: Placed): Total {
  return {
    name,
    tensors: members.length,
    elements: members.reduce((sum, { tensor }) => sum + numel(tensor.shape), 0),
    stored: members.reduce((sum, { stored }) => sum + stored, 0),
  };
}
