import { describe, expect, it, vi } from 'vitest';
import type { OutlineNode, TensorTable } from '#lib/worker/protocol.ts';
import type { Desk } from '../desk.ts';
import type { Problems } from '../problems.svelte.ts';
import { Tasks } from '../tasks.svelte.ts';
import { TableState } from './table.svelte.ts';

const names = ['model.conv.weight', 'model.conv.bias', 'model.fc.weight', 'head.weight'];

function tableOf(shown: readonly string[]): TensorTable {
  const zeros = () => new Float64Array(shown.length);
  const none = () => new Int32Array(shown.length).fill(-1);
  return {
    names: shown,
    titles: shown.map(() => ''),
    notes: shown.map(() => ''),
    ...{ dtypes: ['float32'], dtype: new Uint8Array(shown.length) },
    ...{ shapes: [[2]], shape: new Uint32Array(shown.length) },
    ...{ kinds: ['Conv2d', 'Linear'], kind: Uint16Array.from(shown, (_, at) => Number(at > 1)) },
    ...{ model: null, guessed: shown.length },
    ...{ elements: zeros(), stored: zeros().fill(8), saving: zeros() },
    bytes: Float64Array.from(shown, (_, at) => 100 - at),
    ...{ tied: none(), overlaps: none(), shares: none() },
    ...{ expanded: new Uint8Array(shown.length), meta: new Uint8Array(shown.length) },
    order: Uint32Array.from(shown.keys()),
    findings: [],
  };
}

const nodeOf = (row: number) =>
  ({ id: row, key: names[row], tensor: { dtype: 'float32' } }) as unknown as OutlineNode;

/** A table whose calls are answered by `answers`, at once or when a promise is kept. */
function bench(answers: Record<string, (args: never) => unknown> = {}) {
  const known: Record<string, (args: never) => unknown> = {
    tensorTable: () => ({ ok: true, table: tableOf(names) }),
    tensorNodes: ({ row }: { row: number }) => [nodeOf(-1), nodeOf(row)],
    tensorRow: ({ node }: { node: number }) => node,
    ...answers,
  };
  const call = vi.fn((name: string, args: never) => Promise.resolve(known[name]!(args)));
  const shown: (string | undefined)[] = [];
  const defect = vi.fn();
  const problems = { defect, check: () => true };
  const tasks = new Tasks(problems as unknown as Problems);
  const desk = { client: { call }, tasks, problems };
  const table = new TableState(desk as unknown as Desk, ({ key }) => shown.push(key));
  return { table, call, shown, defect };
}

const filtered = ({ shown, rows }: TableState) => [...shown].map((row) => rows!.names[row]);

describe('the table', () => {
  it('is fetched once for each checkpoint, and anew after it could not be', async () => {
    let isBroken = true;
    const { table, call, defect } = bench({
      tensorTable: () => {
        if (isBroken) throw new Error('broken');
        return { ok: true, table: tableOf(names) };
      },
    });
    await table.load();
    expect(defect).toHaveBeenCalledWith('Could not list the tensors', new Error('broken'));
    isBroken = false;
    await Promise.all([table.load(), table.load()]);
    expect(table.rows?.count).toBe(4);
    expect(call).toHaveBeenCalledTimes(2);
    table.reset();
    expect([table.rows, table.shown.length]).toEqual([null, 0]);
  });

  it('of a checkpoint before is left', async () => {
    const first = Promise.withResolvers();
    const answers = [first.promise, { ok: true, table: tableOf(['other']) }];
    const { table } = bench({ tensorTable: () => answers.shift() });
    const late = table.load();
    table.reset();
    await table.load();
    first.resolve({ ok: true, table: tableOf(names) });
    await late;
    expect(table.rows?.names).toEqual(['other']);
  });

  it('shows what fits the filter in the order of a column, all of it for a filter not understood', async () => {
    const { table } = bench();
    await table.load();
    table.sortBy('bytes', false);
    table.filter = 'weight';
    expect(filtered(table)).toEqual([names[3], names[2], names[0]]);
    table.sortBy('bytes', false);
    expect(filtered(table)[0]).toBe(names[0]);
    table.sortBy('bytes', false);
    expect(table.sort.column).toBe(null);
    table.filter = 'is:odd';
    expect(table.problem).toContain('is:odd is not known');
    expect(table.shown).toHaveLength(4);
  });

  it('chooses rows, and shows the one that was chosen last', async () => {
    const slow = Promise.withResolvers<OutlineNode[]>();
    const { table, shown, defect } = bench({
      tensorNodes: ({ row }: { row: number }) => {
        if (row === 3) throw new Error('gone');
        return row === 0 ? slow.promise : [nodeOf(row)];
      },
    });
    await table.load();
    const first = table.select(0);
    await table.select(2);
    slow.resolve([nodeOf(0)]);
    await first;
    expect(await first).toBe(false);
    expect(shown).toEqual([names[2]]);
    expect([table.activeIndex, table.nodes.at(-1)?.key]).toEqual([2, names[2]]);
    await table.choose(-1);
    expect(table.selected).toBe(2);
    expect(await table.choose(3)).toBe(false);
    expect(defect).toHaveBeenCalledWith('Could not show head.weight', new Error('gone'));
  });

  it('says when the details are those of the chosen row', async () => {
    const slow = Promise.withResolvers<OutlineNode[]>();
    const { table, shown } = bench({ tensorNodes: () => slow.promise });
    await table.load();
    void table.select(1);
    expect(shown).toEqual([]);
    slow.resolve([nodeOf(1)]);
    expect(await table.settled).toBe(true);
    expect(shown).toEqual([names[1]]);
  });

  it('leaves a row that was chosen while the tree was followed', async () => {
    const slow = Promise.withResolvers<number>();
    const { table } = bench({ tensorRow: () => slow.promise });
    await table.load();
    const following = table.follow(nodeOf(2));
    await table.select(1);
    slow.resolve(2);
    await following;
    expect(table.selected).toBe(1);
  });

  it('leads to a row that the filter hides, and follows the tree', async () => {
    const { table } = bench();
    await table.load();
    table.filter = 'conv';
    await table.goTo(1);
    expect(table.filter).toBe('conv');
    await table.goTo(3);
    expect([table.filter, table.selected]).toEqual(['', 3]);
    await table.follow(nodeOf(2));
    await table.follow({ id: 0 } as OutlineNode); // no tensor
    expect(table.selected).toBe(2);
  });

  it('finds names by their first letters, or by those behind a dot, going round', async () => {
    const { table } = bench();
    await table.load();
    table.find('h');
    await vi.waitFor(() => expect(table.selected).toBe(3));
    table.find('c');
    await vi.waitFor(() => expect(table.selected).toBe(0));
    table.find('c');
    await vi.waitFor(() => expect(table.selected).toBe(1));
    table.find('conv.b'); // typed on: the row stays where it fits
    expect(table.selected).toBe(1);
    table.find('x');
    expect(table.selected).toBe(1);
  });

  it('takes the kinds of a model that is built', async () => {
    const kinds = { kinds: ['Net'], kind: new Uint16Array(4), model: 'Net', guessed: 0 };
    const { table, call } = bench({ tensorKinds: () => kinds });
    await table.modelChanged(); // nothing is shown yet
    expect(call).not.toHaveBeenCalled();
    await table.load();
    table.filter = 'kind:linear';
    expect(table.shown).toHaveLength(2);
    await table.modelChanged();
    expect([table.rows?.table.model, table.rows?.kind(3), table.shown.length]).toEqual([
      ...['Net', 'Net', 0],
    ]);
  });
});

describe('the totals', () => {
  it('open and close as a tree does, the largest first', async () => {
    const { table } = bench();
    await table.load();
    const { totals } = table;
    const shown = () => totals.rows.map(({ key, level }) => `${level} ${key}`);
    expect(shown()).toEqual(['1 model', '1 head']);
    totals.select(0);
    totals.into(0);
    expect(shown()).toEqual(['1 model', '2 model.conv', '2 model.fc', '1 head']);
    totals.into(0);
    expect(totals.activeKey).toBe('model.conv');
    totals.into(1); // nothing is below
    totals.outOf(1);
    expect(totals.activeKey).toBe('model');
    totals.find('h');
    expect(totals.activeKey).toBe('head');
    totals.outOf(0);
    expect(shown()).toEqual(['1 model', '1 head']);
    totals.activate(0);
    expect(totals.rows).toHaveLength(4);
    totals.by = 'kind';
    expect(totals.rows.map(({ key, expanded }) => [key, expanded])).toEqual([
      ['Conv2d', false],
      ['Linear', false],
    ]);
    totals.activate(0); // a group of rows has nothing below
    expect(totals.rows).toHaveLength(2);
  });
});
