/** What can be said about the safety of a file. */
import { attempt, type Handlers, type LabState } from './lab.state.ts';
import { readCounter } from './opening.ts';
import type { SafetyCalls } from './protocol.safety.ts';
import { Safety } from './safety.ts';

export function safetyHandlers(state: LabState): Handlers<keyof SafetyCalls> {
  /** Of scans that are under way together, the one that was begun last is looked into. */
  let latest = 0;
  return {
    scan: ({ file }, { signal, progress }) =>
      attempt(signal, async () => {
        const source = file ? readCounter(progress)(file) : state.need().source;
        const turn = ++latest;
        const safety = await Safety.scan(source, signal);
        if (turn === latest) state.safety = safety;
        return { report: safety.report };
      }),
    trace: ({ pickle, start, count }, { signal }) =>
      attempt(signal, () => state.needSafety().trace(pickle, start, count)),
    madeCalls: ({ pickle, start, count, refused }, { signal }) =>
      attempt(signal, () => state.needSafety().calls(pickle, start, count, refused)),
    records: ({ start, count }, { signal }) =>
      attempt(signal, () => state.needSafety().records(start, count)),
    classSource: ({ index }, { signal }) =>
      attempt(signal, async () => ({ text: state.needSafety().sourceText(index) })),
    report: (_, { signal }) =>
      attempt(signal, async () => ({ file: await state.needSafety().file() })),
  };
}
