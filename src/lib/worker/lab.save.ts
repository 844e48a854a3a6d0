/** Saving. */
import { exportAdapter } from './adapter.ts';
import { attempt, notYet, type Handlers, type LabState } from './lab.state.ts';
import { exportProject } from './project.ts';
import type { SaveCalls } from './protocol.save.ts';
import { saveChoices, type SaveSource } from './saves.ts';

export function saveHandlers(state: LabState): Handlers<keyof SaveCalls> {
  return {
    project: ({ which }, { signal }) =>
      attempt(signal, async () => ({ file: await exportProject(state, which, signal) })),
    adapter: ({ which, as }, { signal }) =>
      attempt(signal, async () => ({
        file: await exportAdapter(state.needBench(), which, as, signal),
      })),
    saves: () => saveChoices(saveSource(state)).map(({ write, ...choice }) => choice),
    save: ({ choice, ...place }, { signal, progress }) =>
      attempt(signal, async () => {
        const found = saveChoices(saveSource(state)).find(({ id }) => id === choice);
        if (!found)
          throw notYet(`save: there is no ${choice}`, 'Open or train a checkpoint first.');
        const args = { ...place, openFile: state.openFile, signal, progress };
        return { saved: await found.write(args) };
      }),
  };
}

function saveSource(state: LabState): SaveSource {
  return {
    checkpoint: state.opened?.checkpoint ?? null,
    stateDict: state.bench?.stateDict ?? state.opened?.stateDicts[0] ?? null,
    bench: state.bench,
  };
}
