/** Checkpoints that are open beside the first. */
import { findStateDicts } from '#lib/architecture/binding.ts';
import { formatTitle } from '#lib/formats/folder.ts';
import { attempt, type Handlers, type LabState } from './lab.state.ts';
import { describeStateDict } from './describe_state_dict.ts';
import { openDropped } from './opening.ts';
import { totalsOf } from './outline.ts';
import type { BesideCalls } from './protocol.beside.ts';

export function besideHandlers(state: LabState): Handlers<keyof BesideCalls> {
  return {
    openBeside: (dropped, context) =>
      attempt(context.signal, async () => {
        const checkpoint = await openDropped(dropped, context);
        const stateDicts = findStateDicts(checkpoint.root);
        const id = state.addBeside({ checkpoint, stateDicts });
        const { name, format, size, root } = checkpoint;
        const totals = totalsOf(root);
        return {
          beside: {
            ...{ id, name, format: formatTitle(format), size, totals },
            stateDicts: stateDicts.map(describeStateDict),
          },
        };
      }),
    closeBeside: ({ id }) => state.beside.delete(id),
  };
}
