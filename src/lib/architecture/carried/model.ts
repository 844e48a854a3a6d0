/**
 * A model that a file brings with it: what it computes and its weights, so that no source is needed.
 */
import type { Dict } from '#lib/checkpoint/value.ts';
import type { InputDtype, ModuleTree } from '../source.ts';

export interface CarriedModel {
  readonly module: ModuleTree;
  /** Everything that the module's `state` names, by its keys. */
  readonly stateDict: Dict;
  /** Inputs that the file says the model takes, with their batch. */
  readonly inputs?: readonly { readonly shape: readonly number[]; readonly dtype: InputDtype }[];
}
