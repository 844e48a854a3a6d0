/** Which weights of a model start afresh, and their first values. */
import { startsFresh, type Binding } from '#lib/architecture/binding.ts';
import type { ModelEdits } from '#lib/architecture/edits.ts';
import { describeInit } from '#lib/architecture/initial.ts';
import type { ModuleTree } from '#lib/architecture/source.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import { matchesGlobs } from '#lib/checkpoint/glob.ts';
import type { Tensor } from '#lib/checkpoint/tensor.ts';

export interface FreshWeight {
  readonly key: string;
  /** `uniform from −0.09 to 0.09`. */
  readonly how: string;
}

/**
 * New layers, what the edits name, and with `strict` off what the file lacks or has in another shape,
 * in the model's order.
 */
export function freshWeights(
  { state }: ModuleTree,
  binding: Binding,
  { fresh, strict }: ModelEdits,
): FreshWeight[] {
  const lacking = new Map(
    startsFresh(state, binding)
      .filter(({ why }) => why === 'new' || !strict)
      .map(({ key, init }) => [key, init]),
  );
  return state.flatMap(({ key, kind, tiedTo, init }) => {
    if (kind === 'constant' || tiedTo !== undefined) return [];
    const isNamed = matchesGlobs(key, fresh);
    if (!isNamed && !lacking.has(key)) return [];
    return [{ key, how: init ? describeInit(init) : 'not known' }];
  });
}

/** First values as `torch.manual_seed(seed)` and the constructor give them. Throws a FindingError. */
export function firstValues(
  module: ModuleTree,
  fresh: readonly FreshWeight[],
  seed: number,
): ReadonlyMap<string, Tensor> {
  if (fresh.length === 0) return new Map();
  const made = module.initialise(
    fresh.map(({ key }) => key),
    BigInt(seed),
  );
  if (made.ok) return made.tensors;
  throw new FindingError(made.findings[0]!);
}
