import type { GraphPart } from '#lib/worker/protocol.ts';
import { withAbove } from '../outline.ts';

/** One line of the graph's tree as it is shown. */
export interface GraphRow {
  readonly key: string;
  /** Place of the part in the list. */
  readonly index: number;
  readonly part: GraphPart;
  /** 1 for the model. */
  readonly level: number;
  /** Place among its siblings, from 1, and how many there are. */
  readonly position: number;
  readonly siblings: number;
  readonly childCount: number;
  readonly expanded: boolean;
}

/** Rows that a tree begins with at most. */
const FIRST_ROWS = 32;

/**
 * The rows of parts that stand in expanded ones. A filter, in lower case, shows every part that has it
 * in its path, name or type, with what it stands in.
 */
export function graphRows(
  parts: readonly GraphPart[],
  expanded: { has(index: number): boolean },
  filter = '',
): GraphRow[] {
  const children = childCounts(parts);
  const rows: (GraphRow | null)[] = [];
  const placed = parts.map(() => 0);
  for (const [index, part] of parts.entries()) {
    const above = part.parent === null ? null : rows[part.parent];
    const isShown = filter !== '' || part.parent === null || (above?.expanded ?? false);
    if (part.parent !== null) placed[part.parent]!++;
    const childCount = children[index]!;
    rows.push(
      isShown
        ? {
            key: `part-${index}`,
            index,
            part,
            level: (above?.level ?? 0) + 1,
            position: part.parent === null ? 1 : placed[part.parent]!,
            siblings: part.parent === null ? 1 : children[part.parent]!,
            childCount,
            expanded: childCount > 0 && (filter !== '' || expanded.has(index)),
          }
        : null,
    );
  }
  const shown = rows.filter((row) => row !== null);
  if (filter === '') return shown;
  const isWanted = ({ part: { path, name, type } }: GraphRow) =>
    `${path} ${name} ${type}`.toLowerCase().includes(filter);
  return withAbove(shown, isWanted);
}

/** The parts to expand first: level by level, as long as the rows are few. */
export function firstExpanded(parts: readonly GraphPart[]): Set<number> {
  const children = childCounts(parts);
  const open = new Set([0]);
  for (;;) {
    const rows = graphRows(parts, open);
    const deeper = rows.filter(({ expanded, childCount }) => !expanded && childCount > 0);
    const more = deeper.reduce((sum, { index }) => sum + children[index]!, 0);
    if (more === 0 || rows.length + more > FIRST_ROWS) return open;
    for (const { index } of deeper) open.add(index);
  }
}

function childCounts(parts: readonly GraphPart[]): number[] {
  const counts = parts.map(() => 0);
  for (const { parent } of parts) if (parent !== null) counts[parent]!++;
  return counts;
}
