import { describe, expect, it } from 'vitest';
import type { GraphPart } from '#lib/worker/protocol.ts';
import { firstExpanded, graphRows } from './graph_rows.ts';

function part(name: string, parent: number | null, path = name): GraphPart {
  const figures = { ownParameters: 0, parameters: 0, multiplyAdds: 0, milliseconds: 0, bytes: 0 };
  const rest = { type: '', line: null, outputs: [], ran: true, attention: null };
  return { kind: 'module', name, parent, path, ...figures, ...rest };
}
const parts = [
  part('Net', null, ''),
  part('blocks', 0),
  part('0', 1, 'blocks.0'),
  part('relu', 2, 'blocks.0'),
  part('1', 1, 'blocks.1'),
  part('head', 0),
];
const shown = (...args: Parameters<typeof graphRows>) =>
  graphRows(...args).map(({ level, part }) => `${level} ${part.name}`);

describe('rows of the graph', () => {
  it('are the parts that stand in expanded ones', () => {
    expect(shown(parts, new Set([0]))).toEqual(['1 Net', '2 blocks', '2 head']);
    // What is expanded within a closed part stays out of sight.
    expect(shown(parts, new Set([0, 2]))).toEqual(['1 Net', '2 blocks', '2 head']);
    const [, blocks, first, second] = graphRows(parts, new Set([0, 1]));
    expect(blocks).toMatchObject({ expanded: true, childCount: 2, position: 1, siblings: 2 });
    expect(first).toMatchObject({ expanded: false, childCount: 1, position: 1, siblings: 2 });
    expect(second).toMatchObject({ expanded: false, childCount: 0, position: 2, siblings: 2 });
  });

  it('a filter finds parts in closed ones, with what they stand in', () => {
    expect(shown(parts, new Set(), 'relu')).toEqual(['1 Net', '2 blocks', '3 0', '4 relu']);
    expect(shown(parts, new Set(), 'none')).toEqual([]);
  });

  it('begin with as many levels as give few rows', () => {
    expect([...firstExpanded(parts)]).toEqual([0, 1, 2]);
    const wide = [...parts, ...Array.from({ length: 40 }, (_, at) => part(String(at), 5))];
    expect([...firstExpanded(wide)]).toEqual([0]);
  });
});
