/** From source to a model on the bench. */
import { FindingError } from '#lib/checkpoint/finding.ts';
import { openCarried } from '#lib/architecture/carried/open.ts';
import { PythonError, pythonFinding } from '#lib/architecture/python/errors.ts';
import { readSource } from '#lib/architecture/source.ts';
import { previewRename } from '#lib/edit/rename.ts';
import { label } from '#lib/inspect/repr.ts';
import { describeModel } from './describe_model.ts';
import { attempt, notYet, type Handlers, type LabState } from './lab.state.ts';
import { argumentsFor, fitsOf, recogniseModel } from './proposals.ts';
import type { BuiltModel, ModelCalls } from './protocol.model.ts';
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
    buildCarried: (args, { signal }) =>
      attempt(signal, async () => ({ model: await buildCarried(state, args, signal) })),
    renames: ({ stateDict, rules }, { signal }) =>
      attempt(signal, async () => {
        const chosen = state.need().stateDicts[stateDict];
        const keys = [...(chosen?.dict.keys() ?? [])].filter((key) => typeof key === 'string');
        const all = previewRename(keys, rules);
        const named = Map.groupBy(all, ({ to }) => to);
        const changed = all.filter(({ from, to }) => from !== to);
        const renames = changed.map(({ from, to }) => {
          return { from: label(from), to: label(to), clash: named.get(to)!.length > 1 };
        });
        return { renames };
      }),
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
  const bench = Workbench.build({
    checkpoint,
    stateDict,
    source: state.source,
    files: state.files,
    candidate: args.candidate,
    file: args.file,
    arguments: args.arguments,
    edits: args.edits,
    kept: args.kept,
  });
  return place(state, bench);
}

async function buildCarried(
  state: LabState,
  { edits, kept }: ModelCalls['buildCarried']['args'],
  signal: AbortSignal,
) {
  const { checkpoint, carried, stateDicts } = state.need();
  if (!carried) {
    throw notYet(`${checkpoint.name}: no forward pass in it`, 'Bring the source of the model.');
  }
  try {
    const opened = await openCarried(checkpoint, carried, state.files, signal);
    const parts = { checkpoint, carried: opened, stateDicts, edits, kept };
    return place(state, Workbench.carried(parts));
  } catch (error) {
    if (error instanceof PythonError) throw new FindingError(pythonFinding(error));
    throw error;
  }
}

/** Puts a model on the bench, and takes the one before off. */
function place(state: LabState, bench: Workbench): BuiltModel {
  void state.bench?.dispose();
  state.bench = bench;
  return describeModel(bench);
}
