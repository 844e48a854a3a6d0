import type { OutlineNode } from '#lib/worker/protocol.ts';

/** One line of the checkpoint tree as it is shown. */
export type OutlineRow =
  | {
      kind: 'node';
      key: string;
      node: OutlineNode;
      /** 1 for the root. */
      level: number;
      /** Place among its siblings, from 1, and how many there are. */
      position: number;
      siblings: number;
      expanded: boolean;
    }
  | { kind: 'more'; key: string; parent: OutlineNode; level: number; loaded: number };

export interface OutlineView {
  children: { get(id: number): readonly OutlineNode[] | undefined };
  expanded: { has(id: number): boolean };
  /** Lower case; keeps rows whose path or summary has it, and what they stand in. */
  filter: string;
}

/** The rows of a tree, from its expanded nodes; never recursive, a file may nest deeply. */
export function flatten(root: OutlineNode, view: OutlineView): OutlineRow[] {
  const rows: OutlineRow[] = [];
  const stack: OutlineRow[] = [rowOf(root, 1, 1, 1, view)];
  for (let row = stack.pop(); row; row = stack.pop()) {
    rows.push(row);
    if (row.kind === 'more' || !row.expanded) continue;
    const { node, level } = row;
    const children = view.children.get(node.id) ?? [];
    if (children.length < node.childCount) {
      const loaded = children.length;
      stack.push({ kind: 'more', key: `more-${node.id}`, parent: node, level: level + 1, loaded });
    }
    for (let index = children.length - 1; index >= 0; index--) {
      stack.push(rowOf(children[index]!, level + 1, index + 1, node.childCount, view));
    }
  }
  if (view.filter === '') return rows;
  return withAbove(rows, (row) => row.kind === 'node' && matches(row.node, view.filter));
}

function rowOf(
  node: OutlineNode,
  level: number,
  position: number,
  siblings: number,
  view: OutlineView,
): OutlineRow {
  const expanded = node.childCount > 0 && view.expanded.has(node.id);
  return { kind: 'node', key: `node-${node.id}`, node, level, position, siblings, expanded };
}

/** The rows of a tree that are wanted, and those that they stand in. */
export function withAbove<Row extends { readonly level: number }>(
  rows: readonly Row[],
  isWanted: (row: Row) => boolean,
): Row[] {
  const kept: Row[] = [];
  // From the last row up, so that a row knows whether something below it is kept.
  let neededLevel = 0;
  for (let index = rows.length - 1; index >= 0; index--) {
    const row = rows[index]!;
    const needed = row.level < neededLevel;
    if (!needed && !isWanted(row)) continue;
    kept.push(row);
    neededLevel = row.level;
  }
  return kept.reverse();
}

function matches(node: OutlineNode, filter: string): boolean {
  return `${node.path} ${node.key} ${node.summary} ${node.note ?? ''}`
    .toLowerCase()
    .includes(filter);
}

/** Index of the row that a row stands in; -1 for the root. */
export function parentIndex(rows: readonly { readonly level: number }[], index: number): number {
  const level = rows[index]?.level ?? 0;
  for (let above = index - 1; above >= 0; above--) if (rows[above]!.level < level) return above;
  return -1;
}

/** The next of some names from `from` on that starts with `typed`, going round; -1 if none does. */
export function typeahead(names: readonly (string | null)[], from: number, typed: string): number {
  for (let step = 0; step < names.length; step++) {
    const index = (from + step) % names.length;
    if (names[index]?.toLowerCase().startsWith(typed)) return index;
  }
  return -1;
}
