/** What a checkpoint tells of its model before anybody says a word. */
import { bind } from '#lib/architecture/binding.ts';
import { configurationOf } from '#lib/architecture/hints.ts';
import { literalText } from '#lib/architecture/literal.ts';
import { proposeArguments } from '#lib/architecture/propose_arguments.ts';
import type { ModelSource } from '#lib/architecture/source.ts';
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import type { Dict } from '#lib/checkpoint/value.ts';
import type { Fit, ProposedArgument, RecognisedModel } from './protocol.ts';

/** The known model with exactly these keys and shapes. The models' sources load with the first call. */
export async function recogniseModel(
  checkpoint: Checkpoint,
  stateDict: Dict,
): Promise<RecognisedModel | null> {
  const { recognise } = await import('#lib/architecture/families/recognise.ts');
  const found = recognise(stateDict, configurationOf(checkpoint));
  if (!found) return null;
  const { title, model, args, assumed = [], origins = {}, refused = null } = found.proposal;
  const proposed = Object.entries(args).map(([name, value]): [string, ProposedArgument] => [
    name,
    { text: literalText(value)!, from: origins[name] ?? 'shapes' },
  ]);
  return {
    title,
    files: found.files.map((file) => ({ ...file })),
    candidate: model,
    arguments: Object.fromEntries(proposed),
    assumed: [...assumed],
    refused,
  };
}

/** Proposals by the names of a candidate's arguments. */
export function argumentsFor(
  source: ModelSource,
  { candidate, file }: { candidate: string; file: string | undefined },
  checkpoint: Checkpoint,
  stateDict: Dict,
): Record<string, ProposedArgument> {
  const chosen = source.candidates.find(
    (it) => it.name === candidate && (file ?? it.file) === it.file,
  );
  if (!chosen) return {};
  const hints = configurationOf(checkpoint);
  return Object.fromEntries(proposeArguments(source, chosen, stateDict, hints));
}

/** Candidates that are made to be compared; more would keep the worker from other work. */
const MAX_MADE = 200;
/** Steps of all of them: a few seconds. */
const MAX_STEPS = 10_000_000;

/**
 * How much of a state_dict each candidate has that needs no arguments, the best first. Stops early
 * where all keys and shapes are equal. Between two of them, other calls are answered.
 */
export async function fitsOf(
  source: ModelSource,
  stateDict: Dict,
  signal: AbortSignal,
): Promise<Fit[]> {
  const fits: Fit[] = [];
  let steps = 0;
  const ready = source.candidates.filter((it) =>
    it.arguments.every(({ default: preset }) => preset !== undefined),
  );
  for (const { name, file } of ready.slice(0, MAX_MADE)) {
    await new Promise((resolve) => setTimeout(resolve));
    signal.throwIfAborted();
    const built = source.build(name, new Map(), file);
    steps += built.steps;
    if (steps > MAX_STEPS) break;
    if (!built.ok) continue;
    const { matched, missing, unexpected, mismatched } = bind(built.module.state, stateDict);
    const keys = matched.size + missing.length + unexpected.length + mismatched.length;
    fits.push({ candidate: name, file, matched: matched.size, keys });
    if (matched.size === keys) break;
  }
  return fits.toSorted((a, b) => b.matched / b.keys - a.matched / a.keys);
}
