/** From source to a model on the bench. */
import { FindingError } from '#lib/checkpoint/finding.ts';
import { openCarried } from '#lib/architecture/carried/open.ts';
import { PythonError, pythonFinding } from '#lib/architecture/python/errors.ts';
import { readSource } from '#lib/architecture/source.ts';
import { attempt, notYet, type Handlers, type LabState } from './lab.state.ts';
import { argumentsFor, fitsOf, recogniseModel } from './proposals.ts';
import type { ModelCalls } from './protocol.model.ts';
import { readSourceFiles } from './source_files.ts';
import { Workbench } from './workbench.ts';

export function modelHandlers(state: LabState): Handlers<keyof ModelCalls> {
  return {
    sourceFiles: ({ files }, { signal }) =>
      attempt(signal, async () => ({ files: await readSourceFiles(files, signal) })),
    source: ({ files }) => {
      const result = readSource(files);
      if (!result.ok) return result;
      state.source = result.source;
      state.files = files;
      const candidates = result.source.candidates.map((candidate) => ({
        ...candidate,
        arguments: [...candidate.arguments],
      }));
      return { ok: true, candidates, warnings: result.warnings };
    },
    recognise: ({ stateDict }, { signal }) =>
      attempt(signal, async () => {
        const { checkpoint, stateDicts } = state.need();
        const chosen = stateDicts[stateDict];
        return { recognised: chosen ? await recogniseModel(checkpoint, chosen.dict) : null };
      }),
    fits: ({ stateDict }, { signal }) =>
      attempt(signal, async () => {
        const chosen = state.need().stateDicts[stateDict];
        const fits = chosen && state.source ? await fitsOf(state.source, chosen.dict, signal) : [];
        return { fits };
      }),
    proposeArguments: ({ candidate, file, stateDict }, { signal }) =>
      attempt(signal, async () => {
        const { checkpoint, stateDicts } = state.need();
        const chosen = stateDicts[stateDict];
        if (!chosen || !state.source) return { arguments: {} };
        return {
          arguments: argumentsFor(state.source, { candidate, file }, checkpoint, chosen.dict),
        };
      }),
    build: (args, { signal }) => attempt(signal, async () => ({ model: await build(state, args) })),
    buildCarried: (_, { signal }) =>
      attempt(signal, async () => ({ model: await buildCarried(state, signal) })),
  };
}

async function build(state: LabState, args: ModelCalls['build']['args']) {
  const { stateDicts, checkpoint } = state.need();
  if (!state.source) throw notYet('no source is open', 'Paste or drop the model.py first.');
  const stateDict = stateDicts[args.stateDict];
  if (!stateDict) {
    throw notYet(
      `${checkpoint.name}: no state_dict in it`,
      'Open a checkpoint that holds a dict of tensors by name.',
    );
  }
  const { bench, model } = Workbench.build({
    checkpoint,
    stateDict,
    source: state.source,
    candidate: args.candidate,
    file: args.file,
    arguments: args.arguments,
  });
  void state.bench?.dispose();
  state.bench = bench;
  return model;
}

async function buildCarried(state: LabState, signal: AbortSignal) {
  const { checkpoint, carried, stateDicts } = state.need();
  if (!carried) {
    throw notYet(`${checkpoint.name}: no forward pass in it`, 'Bring the source of the model.');
  }
  try {
    const opened = await openCarried(checkpoint, carried, state.files, signal);
    const { bench, model } = Workbench.carried({ checkpoint, carried: opened, stateDicts });
    void state.bench?.dispose();
    state.bench = bench;
    return model;
  } catch (error) {
    if (error instanceof PythonError) throw new FindingError(pythonFinding(error));
    throw error;
  }
}
