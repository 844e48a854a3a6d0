/** The table of all tensors of the open checkpoint. */
import { attempt, type Handlers, type LabState, type Opened } from './lab.state.ts';
import type { TableCalls } from './protocol.table.ts';
import { Table } from './table.ts';

export function tableHandlers(state: LabState): Handlers<keyof TableCalls> {
  // Kept as long as the checkpoint is.
  const tables = new WeakMap<Opened, Table>();
  const need = (): Table => {
    const opened = state.need();
    const table =
      tables.get(opened) ??
      new Table(opened.checkpoint, opened.outline, opened.stateDicts[0]?.dict);
    tables.set(opened, table);
    return table;
  };
  return {
    tensorTable: (_, { signal }) =>
      attempt(signal, () => Promise.resolve({ table: need().columns })),
    tensorNodes: ({ row }) => need().nodes(row),
    tensorRow: ({ node }) => need().rowOf(node),
    summarize: ({ rows }, context) =>
      attempt(context.signal, async () => ({
        rows: await need().numbers.summarize(rows, context),
      })),
    standouts: () => need().numbers.standouts(),
    duplicates: (_, context) =>
      attempt(context.signal, async () => ({ rows: await need().numbers.duplicates(context) })),
  };
}
