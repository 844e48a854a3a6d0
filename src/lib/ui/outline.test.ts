import { describe, expect, it } from 'vitest';
import type { OutlineNode } from '#lib/worker/protocol.ts';
import { flatten, parentIndex, typeahead, type OutlineRow } from './outline.ts';

function node(id: number, key: string, childCount = 0): OutlineNode {
  return { id, key, path: `['${key}']`, kind: 'dict', summary: '', childCount };
}
const root = node(0, 'root', 2);
const children = new Map([
  [0, [node(1, 'model', 3), node(2, 'epoch')]],
  [1, [node(3, 'conv.weight'), node(4, 'fc.weight')]],
]);
const keys = (rows: OutlineRow[]) =>
  rows.map((row) => `${row.level} ${row.kind === 'node' ? row.node.key : 'more'}`);

describe('flatten', () => {
  it('shows the children of expanded nodes and what is still to load', () => {
    const rows = flatten(root, { children, expanded: new Set([0, 1]), filter: '' });
    expect(keys(rows)).toEqual([
      '1 root',
      '2 model',
      '3 conv.weight',
      '3 fc.weight',
      '3 more',
      '2 epoch',
    ]);
    expect(rows[3]).toMatchObject({ position: 2, siblings: 3, expanded: false });
    expect(rows[4]).toMatchObject({ loaded: 2 });
  });

  it('keeps matches and what they stand in', () => {
    const rows = flatten(root, { children, expanded: new Set([0, 1]), filter: 'fc' });
    expect(keys(rows)).toEqual(['1 root', '2 model', '3 fc.weight']);
    expect(keys(flatten(root, { children, expanded: new Set([0]), filter: 'none' }))).toEqual([]);
  });

  it('does not recurse: a hundred thousand levels', () => {
    const deep = new Map<number, OutlineNode[]>();
    const depth = 100_000;
    for (let id = 0; id < depth; id++) deep.set(id, [node(id + 1, 'x', 1)]);
    const rows = flatten(node(0, 'x', 1), {
      children: deep,
      expanded: { has: () => true },
      filter: '',
    });
    expect(rows).toHaveLength(depth + 2);
  });
});

describe('moving', () => {
  const rows = flatten(root, { children, expanded: new Set([0, 1]), filter: '' });
  it('finds the parent', () => {
    expect(parentIndex(rows, 3)).toBe(1);
    expect(parentIndex(rows, 5)).toBe(0);
    expect(parentIndex(rows, 0)).toBe(-1);
  });
  it('finds a row by its first letters, going round', () => {
    const names = rows.map((row) => (row.kind === 'node' ? row.node.key : null));
    expect(typeahead(names, 3, 'e')).toBe(5);
    expect(typeahead(names, 4, 'mo')).toBe(1);
    expect(typeahead(names, 0, 'zz')).toBe(-1);
  });
});
