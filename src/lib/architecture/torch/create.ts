/** `torch.zeros`, `torch.arange` and their like: numbers of the source, or drawn in each pass. */
import type { PyValue } from '../python/object.ts';
import { creatorFunction } from './create/creator.ts';
import * as data from './create/data.ts';
import * as filled from './create/filled.ts';
import * as grids from './create/grids.ts';
import * as random from './create/random.ts';
import * as ranges from './create/ranges.ts';
import type { TensorOwner } from './tensor.ts';

const creators = {
  ...data.creators,
  ...filled.creators,
  ...grids.creators,
  ...random.creators,
  ...ranges.creators,
};

/** The functions of `torch` that make tensors. */
export function creatorFunctions(owner: TensorOwner): Map<string, PyValue> {
  const entries = Object.entries(creators).map(
    ([name, creator]) => [name, creatorFunction(owner, name, creator)] as const,
  );
  return new Map(entries);
}

/** The methods of tensors that make others: `new_zeros`. Their owner is the tensor. */
export const newCreators = { ...data.newCreators, ...filled.newCreators };
