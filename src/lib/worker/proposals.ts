/** What a checkpoint tells of its model before anybody says a word. */
import { configurationOf } from '#lib/architecture/hints.ts';
import { literalText } from '#lib/architecture/literal.ts';
import { proposeArguments } from '#lib/architecture/propose_arguments.ts';
import type { ModelSource } from '#lib/architecture/source.ts';
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import type { Dict } from '#lib/checkpoint/value.ts';
import type { ProposedArgument, RecognisedModel } from './protocol.ts';

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
  candidate: string,
  checkpoint: Checkpoint,
  stateDict: Dict,
): Record<string, ProposedArgument> {
  const chosen = source.candidates.find(({ name }) => name === candidate);
  if (!chosen) return {};
  const hints = configurationOf(checkpoint);
  return Object.fromEntries(proposeArguments(source, chosen, stateDict, hints));
}
