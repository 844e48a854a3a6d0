import { describe, expect, it } from 'vitest';
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { metaStorage, tensorFromBytes } from '#lib/checkpoint/tensor.ts';
import { Dict, dict, list, tuple, type Value } from '#lib/checkpoint/value.ts';
import { Outline } from './outline.ts';
import { Table } from './table.ts';
import { tensorKinds } from './tensor_kinds.ts';

const vector = (size: number) => tensorFromBytes(new Uint8Array(4 * size), 'float32', [size]);

function tableOf(root: Value, stateDict?: Value, findings: Checkpoint['findings'] = []) {
  const checkpoint = {
    ...{ name: 'a.pt', format: 'torch', size: 0, root, findings, calls: [] },
    metadata: new Map<string, string>(),
  };
  const outline = new Outline(root, stateDict);
  return { outline, table: new Table(checkpoint, outline, stateDict) };
}

describe('table', () => {
  const weight = vector(6);
  const model = dict({ 'fc.weight': weight, tied: { ...weight }, again: weight });
  const states = new Dict([[0n, dict({ step: 1n, exp_avg: vector(6) })]] as [Value, Value][]);
  const root = dict({
    epoch: 1n,
    model,
    optimizer: dict({ state: states, param_groups: list(dict({ params: list(0n), lr: 0.1 })) }),
    list: list(vector(1), tuple({ ...vector(4), storage: metaStorage(16) })),
  });
  const { table, outline } = tableOf(root, model, [
    { code: 'x', severity: 'warning', where: 'fc.weight', message: 'odd' },
    { code: 'y', severity: 'warning', message: 'of the whole file' },
  ]);
  const { columns } = table;

  it('has a row for each place of a tensor', () => {
    expect(columns.names).toEqual([
      ...['model.fc.weight', 'model.tied', 'model.again'],
      ...['optimizer.state.0.exp_avg', 'list.0', 'list.1.0'],
    ]);
    expect(columns.titles).toEqual(['', '', '', 'exp_avg of fc.weight', '', '']);
    expect(columns.shapes).toEqual([[6], [1], [4]]);
    expect([...columns.shape]).toEqual([0, 0, 0, 0, 1, 2]);
    expect([...columns.bytes]).toEqual([24, 24, 24, 24, 4, 16]);
    expect([...columns.stored]).toEqual([24, 0, 0, 24, 4, 0]);
    expect([...columns.tied]).toEqual([1, 0, 0, -1, -1, -1]);
    expect([...columns.meta]).toEqual([0, 0, 0, 0, 0, 1]);
    expect(columns.notes.at(-1)).toBe('meta: shape alone');
    expect(columns.findings).toEqual([{ row: 0, message: 'odd' }]);
  });

  it('has kinds of modules by names and shapes, or those of a model that is built', () => {
    const told = (bench: Parameters<typeof tensorKinds>[1]) => {
      const { kinds, kind, model, guessed } = tensorKinds(table, bench);
      return { model, guessed, kinds: Array.from(kind, (number) => kinds[number]) };
    };
    const after = ['Optimizer state', 'Other', 'Other'];
    expect(told(null)).toEqual({
      ...{ model: null, guessed: 5 },
      kinds: ['LayerNorm, GroupNorm, RMSNorm', 'Other', 'Other', ...after],
    });
    const built = {
      stateDict: { label: 'model', dict: model },
      module: {
        name: 'Net',
        modules: [
          { path: '', type: 'Net', arguments: '' },
          { path: 'fc', type: 'Linear', arguments: '6, 1' },
        ],
      },
      binding: {
        matched: new Map([
          ['fc.parts.weight', { tensor: weight, fileKey: 'fc.weight' }],
          ['own', { tensor: weight, fileKey: 'tied' }],
          ['filled', { tensor: weight, fileKey: '' }],
        ]),
      },
    };
    // The same tensor in two places is of one module.
    expect(told(built as unknown as Parameters<typeof tensorKinds>[1])).toEqual({
      ...{ model: 'Net', guessed: 2 },
      kinds: ['Linear', 'Net', 'Linear', ...after],
    });
  });

  it('leads from a row to the tree and back', () => {
    for (const row of columns.names.keys()) {
      const nodes = table.nodes(row);
      expect(nodes[0]).toBe(outline.root);
      expect(outline.value(nodes.at(-1)!.id)).toBe(table.rows[row]!.tensor);
      expect(table.rowOf(nodes.at(-1)!.id)).toBe(row);
    }
    expect(table.nodes(5).map(({ path }) => path)).toEqual([
      ...['', "['list']", "['list'][1]", "['list'][1][0]"],
    ]);
    expect(table.rowOf(outline.root.id)).toBeNull();
    expect(() => table.nodes(6)).toThrow('there is no row 6');
  });

  it('takes a tensor that is the whole file', () => {
    const { table: single, outline: above } = tableOf(vector(2));
    expect(single.columns.names).toEqual(['']);
    expect(single.nodes(0)).toEqual([above.root]);
    expect(single.rowOf(above.root.id)).toBe(0);
  });

  it('ends in cycles, through billions of paths, and deep down', () => {
    const self = list(weight);
    self.items.push(self, dict({ again: weight }));
    let laughs: Value = list(weight);
    for (let level = 0; level < 100; level++) laughs = list(laughs, laughs, laughs);
    let deep: Value = weight;
    for (let level = 0; level < 20_000; level++) deep = tuple(deep);
    const { table: wild } = tableOf(list(self, laughs, deep));
    expect(wild.columns.names.slice(0, 2)).toEqual(['0.0', '0.2.again']);
    expect(wild.columns.names).toHaveLength(4);
    expect(wild.columns.names.at(-1)!.length).toBeLessThan(1100);
  });
});
