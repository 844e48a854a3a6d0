import type { Tensor } from '#lib/checkpoint/tensor.ts';
import type { Dict, Value } from '#lib/checkpoint/value.ts';
import { isTensor } from '#lib/checkpoint/value.ts';
import { bind, wrappers } from '../binding.ts';
import { readSource, type ModuleTree, type SourceFile } from '../source.ts';
import { families } from './index.ts';
import { Shapes, sourceFile, type Family, type Hints, type Proposal } from './family.ts';

/** A family's model whose keys and shapes are exactly those of a state_dict. */
export interface Recognised {
  readonly family: string;
  readonly proposal: Proposal;
  readonly files: readonly SourceFile[];
  readonly module: ModuleTree;
}

/**
 * The known model that a state_dict belongs to, or null. Nothing but equality of every key and every
 * shape counts; a prefix that all keys have in common (`module.`) is taken off first.
 */
export function recognise(stateDict: Dict, hints: Hints = new Map()): Recognised | null {
  const tensors = new Map<string, Tensor>();
  for (const [key, value] of stateDict.entries()) {
    if (typeof key === 'string' && isTensor(value)) tensors.set(key, value);
  }
  for (const named of withoutPrefixes(tensors)) {
    const shapes = new Shapes(named.tensors);
    for (const family of families) {
      for (const proposal of family.propose(shapes, hints)) {
        const module = fitting(family, proposal, stateDict, named.stripped);
        if (module) return { family: family.name, proposal, files: [sourceFile(family)], module };
      }
    }
  }
  return null;
}

interface Named {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly stripped: readonly string[];
}

/** The tensors under their own names, then without the prefixes that all of them share. */
function* withoutPrefixes(tensors: Named['tensors']): Iterable<Named> {
  let names = tensors;
  const stripped: string[] = [];
  yield { tensors: names, stripped: [] };
  for (;;) {
    const prefix = wrappers.find((part) => [...names.keys()].every((key) => key.startsWith(part)));
    if (prefix === undefined || names.size === 0) return;
    names = new Map([...names].map(([key, tensor]) => [key.slice(prefix.length), tensor]));
    stripped.push(prefix);
    yield { tensors: names, stripped: [...stripped] };
  }
}

function fitting(
  family: Family,
  { model, args }: Proposal,
  stateDict: Dict,
  stripped: readonly string[],
): ModuleTree | null {
  const read = readSource([sourceFile(family)]);
  if (!read.ok) throw new Error(`families: ${family.name}.py: ${read.findings[0]!.message}`);
  const built = read.source.build(model, new Map<string, Value>(Object.entries(args)));
  if (!built.ok) return null;
  const { module } = built;
  const binding = bind(module.state, stateDict, { prefixes: stripped });
  const fits = binding.missing.length + binding.unexpected.length + binding.mismatched.length === 0;
  return fits ? module : null;
}
