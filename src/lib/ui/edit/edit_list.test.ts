import { describe, expect, it } from 'vitest';
import type { Edit } from '#lib/worker/protocol.ts';
import { EditList } from './edit_list.svelte.ts';

const drop = (...names: string[]): Edit => ({ kind: 'drop', names });

function listOf(...names: string[]): EditList {
  const list = new EditList();
  for (const name of names) list.add([drop(name)]);
  return list;
}
const namesIn = ({ items }: EditList) =>
  items.map(({ edit }) => (edit.kind === 'drop' ? edit.names[0] : edit.kind));

describe('a list of edits', () => {
  it('is undone and redone step by step', () => {
    const list = listOf('a', 'b', 'c');
    const [a, b] = list.items;
    list.move(a!.id, 2);
    expect(namesIn(list)).toEqual(['b', 'c', 'a']);
    list.remove(b!.id);
    list.duplicate(a!.id);
    expect(namesIn(list)).toEqual(['c', 'a', 'a']);
    expect(new Set(list.items.map(({ id }) => id)).size).toBe(3);
    const seen: unknown[] = [];
    while (list.canUndo) {
      list.undo();
      seen.push(namesIn(list).join(''));
    }
    expect(seen).toEqual(['ca', 'bca', 'abc', 'ab', 'a', '']);
    while (list.canRedo) list.redo();
    expect(namesIn(list)).toEqual(['c', 'a', 'a']);
    list.undo();
    list.clear();
    expect([namesIn(list), list.canRedo]).toEqual([[], false]);
  });

  it('takes typing as one change', () => {
    const list = listOf('a');
    const { id } = list.items[0]!;
    list.change(id, drop('b'), 0);
    list.change(id, drop('bc'), 500);
    list.change(id, drop('bcd'), 1400);
    list.change(id, drop('e'), 3000);
    list.undo();
    expect(namesIn(list)).toEqual(['bcd']);
    list.undo();
    expect(namesIn(list)).toEqual(['a']);
  });

  it('moves within its ends, and leaves out what is off', () => {
    const list = listOf('a', 'b');
    const [a, b] = list.items;
    list.move(b!.id, -5);
    list.move(b!.id, -5);
    expect(namesIn(list)).toEqual(['b', 'a']);
    list.toggle(b!.id);
    expect(list.active.map(({ id }) => id)).toEqual([a!.id]);
    expect(JSON.parse(list.toJson())).toEqual({
      version: 1,
      edits: [{ ...drop('b'), off: true }, drop('a')],
    });
  });

  it('gives other checkpoints their new numbers', () => {
    const list = new EditList();
    const merge = { kind: 'merge', in: null, how: { kind: 'disjoint' } } as const;
    list.add([
      { kind: 'put', path: [], other: 1, from: [] },
      { ...merge, others: [1, 2].map((other) => ({ other, in: null })) },
      { kind: 'lora', in: null, other: null, scaling: null },
    ]);
    list.renumber([
      [1, 2],
      [2, 1],
    ]);
    const [put, merged, lora] = list.items.map(({ edit }) => edit);
    expect(put).toMatchObject({ other: 2 });
    expect(merged).toMatchObject({ others: [{ other: 2 }, { other: 1 }] });
    expect(lora).toMatchObject({ other: null });
  });
});
