/** Runs that are kept on the disk. */
import { attempt, type Handlers, type LabState } from './lab.state.ts';
import type { KeepCalls } from './protocol.keep.ts';
import { exportRun, findRuns, openRun, removeRun } from './runs.ts';

export function keepHandlers({ openFile }: LabState): Handlers<keyof KeepCalls> {
  return {
    runs: (_, { signal }) => attempt(signal, async () => ({ runs: await findRuns() })),
    openRun: ({ id }, { signal }) =>
      attempt(signal, async () => ({ run: await openRun(id, signal) })),
    removeRun: ({ id }, { signal }) =>
      attempt(signal, async () => {
        await removeRun(id);
        return {};
      }),
    exportRun: ({ id }, { signal }) =>
      attempt(signal, async () => ({ file: await exportRun(id, { openFile, signal }) })),
  };
}
