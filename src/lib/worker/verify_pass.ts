/**
 * The last check of a file that was written: a forward pass with the weights that were read back
 * gives what one with the state's own weights gives, bit for bit, on the same backend.
 */
import { bind, findStateDicts } from '#lib/architecture/binding.ts';
import type { Graph } from '#lib/architecture/graph.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';
import { isTensor, type Value } from '#lib/checkpoint/value.ts';
import type { Numbers } from '#lib/runtime/model.ts';
import type { Kept } from '#lib/training/kept.ts';
import { trainedWeights, type BoundModel } from './trained.ts';

export interface Pass {
  /** In evaluation mode. */
  readonly graph: Graph;
  readonly inputs: readonly Omit<Numbers, 'dtype'>[];
}

/** What judges a file's root for a state of the model. Throws an Error where the outputs differ. */
export function passVerifier(
  bound: BoundModel,
  pass: Pass,
  signal: AbortSignal,
): (root: Value, kept: Kept) => Promise<void> {
  const { state } = bound.module;
  const run = async (tensors: ReadonlyMap<string, Tensor>) => {
    const { Model } = await import('#lib/runtime/model.ts');
    const model = await Model.load(state, tensors, signal);
    try {
      return await model.predict(pass.graph, pass.inputs);
    } finally {
      model.dispose();
    }
  };
  return async (root, kept) => {
    const own = trainedWeights(bound, kept.weights, 'model');
    const tensors = [...own.entries()].filter(
      (entry): entry is [string, Tensor] => typeof entry[0] === 'string' && isTensor(entry[1]),
    );
    const constants = state.flatMap(({ kind, key }): [string, Tensor][] => {
      const held = kind === 'constant' ? bound.binding.matched.get(key)?.tensor : undefined;
      return held ? [[key, held]] : [];
    });
    // Both now: a device that was made anew in between may round otherwise.
    const expected = await run(new Map([...tensors, ...constants]));
    const read = await run(new Map([...weightsIn(root, bound), ...constants]));
    expected.forEach(({ values }, at) => {
      const differing = values.findIndex(
        (value, index) => !Object.is(value, read[at]!.values[index]),
      );
      if (differing === -1) return;
      throw new Error(
        `save: read back, the model gives ${read[at]!.values[differing]} for ${values[differing]} in output ${at} at ${differing}`,
      );
    });
  };
}

/** The weights of the likeliest state_dict of a file, by the model's keys. */
function weightsIn(root: Value, { module }: BoundModel): [string, Tensor][] {
  const [found] = findStateDicts(root);
  if (!found) throw new Error('save: the written file holds no state_dict');
  const { matched } = bind(module.state, found.dict);
  return [...matched].map(([key, { tensor }]) => [key, tensor]);
}
