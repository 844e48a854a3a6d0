/** Data and training. */
import { FindingError } from '#lib/checkpoint/finding.ts';
import { integers } from '#lib/inputs/random.ts';
import type { Batch, Dataset, Examples } from '#lib/inputs/data/dataset.ts';
import { describeTarget, preview } from '#lib/inputs/data/preview.ts';
import { withAugmentation } from '#lib/inputs/data/with_augmentation.ts';
import { readData } from '#lib/inputs/data/read_data.ts';
import { attempt, notYet, type Handlers, type LabState } from './lab.state.ts';
import type { InputFile } from './run_place.ts';
import { proposeRun } from './propose_run.ts';
import { rateCurve } from './rates.ts';
import type { Example, Split, TrainCalls } from './protocol.train.ts';

export function trainHandlers(state: LabState): Handlers<keyof TrainCalls> {
  return {
    data: ({ files, wish }, { signal }) =>
      attempt(signal, async () => {
        const opened = files?.map(({ path, file }) => ({ path, file })) ?? state.dataFiles;
        if (opened.length === 0) throw noData();
        const tools = { tokenizer: state.tokenizer ?? undefined };
        const { dataset, facts } = await readData(opened, wish, tools, signal);
        state.data = dataset;
        state.dataFiles = opened;
        state.dataWish = wish;
        return { data: facts };
      }),
    example: ({ split, index }, { signal }) =>
      attempt(signal, async () => ({ example: await exampleOf(state, split, index) })),
    preview: ({ count, seed, augmentation }, { signal }) =>
      attempt(signal, async () => {
        const data = withAugmentation(needData(state), augmentation);
        const chosen = integers(Math.min(count, data.train.count), data.train.count, seed);
        const batch = await preview(data, chosen, augmentation ? seed : null, signal);
        return { examples: Array.from(chosen, (_, at) => exampleAt(state, data, batch, at)) };
      }),
    proposeRun: (_, { signal }) =>
      attempt(signal, async () => ({
        proposal: await proposeRun(state.needBench(), needData(state)),
      })),
    rates: ({ settings }, { signal }) =>
      attempt(signal, async () => {
        const [bench, data] = [state.needBench(), needData(state)];
        const rates = await state.onBackend(() => rateCurve(bench, data, settings));
        return { rates };
      }),
    train: ({ settings, from, folder, run }, { signal, progress }) =>
      attempt(signal, async () => {
        const data = needData(state);
        const bench = state.needBench();
        const backend = () => state.startBackend();
        const keep = hasPrivateDisk()
          ? { ...{ folder, run: run?.id }, ...keepOf(state) }
          : undefined;
        const summary = await bench.train({
          ...{ settings, from, data, backend, signal, progress },
          end: run?.end,
          keep,
        });
        return { summary };
      }),
    pause: () => {
      state.bench?.training.tell('pause');
      return null;
    },
    resume: () => {
      state.bench?.training.tell('resume');
      return null;
    },
    stop: () => {
      state.bench?.training.tell('stop');
      return null;
    },
  };
}

/** Browsers have one; Node has not. */
function hasPrivateDisk(): boolean {
  return typeof navigator !== 'undefined' && typeof navigator.storage?.getDirectory === 'function';
}

/** What a run's folder needs of what is open. */
function keepOf(state: LabState) {
  const inputs = state.dataFiles.map(({ path, file }): InputFile => {
    return { role: 'data', path, file: file as File };
  });
  return { wish: state.dataWish, inputs, openFile: state.openFile };
}

function noData(): FindingError {
  return notYet(
    'training: no data is open',
    'Open an .npz with inputs and labels, a table, pictures in folders, or text first.',
  );
}

function needData(state: LabState): Dataset {
  if (state.data) return state.data;
  throw noData();
}

/** One example of the open data. */
export async function exampleOf(state: LabState, split: Split, index: number): Promise<Example> {
  const data = needData(state);
  const examples: Examples | null = split === 'test' ? data.held : data.train;
  if (!examples) throw notYet('data: no such examples are open', 'Open data that holds some out.');
  return exampleAt(state, data, await examples.read([index]), 0);
}

function exampleAt(state: LabState, data: Dataset, batch: Batch, at: number): Example {
  const { input, target } = data;
  const own = <T extends Batch['inputs']>(values: T) => {
    const size = values.length / batch.count;
    return values.slice(at * size, (at + 1) * size) as T;
  };
  const values = own(batch.inputs);
  const example = {
    label: describeTarget(target, batch, at),
    dtype: input.dtype,
    shape: [...input.shape],
    values,
  };
  if (target.kind !== 'tokens') return example;
  const text = textOf(state, data, [...values]);
  const next = textOf(state, data, [...own(batch.targets).slice(-1)]);
  return text === null ? example : { ...example, label: next, text };
}

/** Tokens as text: by the data's own characters, or by the tokenizer that has read it. */
function textOf({ tokenizer }: LabState, { recipe }: Dataset, ids: number[]): string | null {
  const characters = recipe.kind === 'text' ? recipe.characters : null;
  if (characters) return ids.map((id) => characters[id] ?? '').join('');
  return tokenizer?.decode(ids) ?? null;
}
