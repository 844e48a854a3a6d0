import { bind } from '#lib/architecture/binding.ts';
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import type { Value } from '#lib/checkpoint/value.ts';
import type { Kept } from '#lib/training/kept.ts';
import { trainedCheckpoint, trainedWeights, type BoundModel, type KeptWith } from './trained.ts';

/**
 * A kept state as an exported project takes it up: {model, optimizer, …} with the model's own keys,
 * in whatever way the opened file had them. `load_state_dict` takes it strictly.
 */
export function projectCheckpoint(
  checkpoint: Checkpoint,
  { module, ...bound }: BoundModel,
  kept: Kept,
  given: KeptWith = {},
): Value {
  const weights = trainedWeights({ module, ...bound }, kept.weights, 'model');
  const plain: BoundModel = {
    module,
    binding: bind(module.state, weights, { prefixes: [] }),
    stateDict: { path: [], origin: weights, dict: weights, score: 0 },
  };
  return trainedCheckpoint({ ...checkpoint, root: weights }, plain, kept, given);
}
