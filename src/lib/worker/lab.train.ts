/** Data and training. */
import { gatherExamples, readDataset, type Dataset } from '#lib/inputs/dataset.ts';
import { openForUse } from '#lib/inputs/open_for_use.ts';
import { attempt, notYet, type Handlers, type LabState } from './lab.state.ts';
import type { Example, OpenedData, Split, TrainCalls } from './protocol.train.ts';

export function trainHandlers(state: LabState): Handlers<keyof TrainCalls> {
  return {
    data: ({ file }, { signal }) =>
      attempt(signal, async () => {
        state.data = await readDataset(await openForUse(file, signal), file.name, signal);
        return { data: describeData(state.data) };
      }),
    example: ({ split, index }, { signal }) =>
      attempt(signal, async () => ({ example: exampleOf(state, split, index) })),
    train: (settings, { signal, progress }) =>
      attempt(signal, async () => {
        if (!state.data) {
          throw notYet('training: no data is open', 'Open an .npz with inputs and labels first.');
        }
        const bench = state.needBench();
        const data = state.data;
        const summary = await state.onBackend((backend) =>
          bench.train({ settings, data, backend, signal, progress }),
        );
        return { summary };
      }),
    pause: () => {
      state.bench?.session?.pause();
      return null;
    },
    resume: () => {
      state.bench?.session?.resume();
      return null;
    },
    stop: () => {
      state.bench?.session?.stop();
      return null;
    },
  };
}

export function exampleOf(state: LabState, split: Split, index: number): Example {
  const examples = split === 'test' ? state.data?.test : state.data?.train;
  if (!examples)
    throw notYet('data: no such examples are open', 'Open an .npz with examples first.');
  const { inputs, labels } = gatherExamples(examples, [index]);
  return { label: String(labels[0]), shape: [...state.data!.exampleShape], values: inputs };
}

function describeData({
  name,
  arrays,
  train,
  test,
  exampleShape,
  scaling,
  classes,
}: Dataset): OpenedData {
  return {
    name,
    arrays: arrays.map(({ name, dtype, shape }) => ({ name, dtype, shape: [...shape] })),
    train: train.count,
    test: test?.count ?? 0,
    exampleShape: [...exampleShape],
    scaling,
    classes,
  };
}
