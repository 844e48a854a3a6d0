/** The table of all tensors of the open checkpoint. */
import { attempt, type Handlers, type LabState } from './lab.state.ts';
import type { TableCalls } from './protocol.table.ts';
import { tableOf } from './table.ts';
import { tensorKinds } from './tensor_kinds.ts';

export function tableHandlers(state: LabState): Handlers<keyof TableCalls> {
  const need = () => tableOf(state.need());
  const kinds = () => tensorKinds(need(), state.bench);
  return {
    tensorTable: (_, { signal }) =>
      attempt(signal, () => Promise.resolve({ table: { ...need().columns, ...kinds() } })),
    tensorKinds: kinds,
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
