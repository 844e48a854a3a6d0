/** Which models a file carries, and making one of them. */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import type { StateDictCandidate } from '../binding.ts';
import { exportedModel } from '../exported/model.ts';
import { isPickledModule, neededClasses, restoredModel } from '../restored/model.ts';
import { carriedSources } from '../restored/sources.ts';
import type { SourceFile } from '../source.ts';
import { scriptModel } from '../torchscript/model.ts';
import type { CarriedModel } from './model.ts';

/** What a file brings beside weights. */
export interface Carried {
  readonly kind: 'torchscript' | 'exported' | 'module';
  /** Of a pickled module: its state_dict. */
  readonly candidate?: StateDictCandidate;
  /** Classes of the user's that it is made of. */
  readonly classes: readonly string[];
  /** Their source, where the file has it. */
  readonly sources: readonly SourceFile[];
}

/** Looks for a forward pass in a file; null where it holds weights only. */
export function findCarried(
  { program, sources = [] }: Checkpoint,
  stateDicts: readonly StateDictCandidate[],
): Carried | null {
  if (program) return { kind: program.kind, classes: [], sources: [] };
  const candidate = stateDicts.find(isPickledModule);
  if (!candidate) return null;
  const classes = neededClasses(candidate.origin).map(({ module, name }) => `${module}.${name}`);
  return { kind: 'module', candidate, classes, sources: carriedSources(sources) };
}

/**
 * Makes the model. `files` are the user's sources, which a pickled module may need. Throws a
 * FindingError or a PythonError that names the place.
 */
export function openCarried(
  checkpoint: Checkpoint,
  { kind, candidate, sources }: Carried,
  files: readonly SourceFile[],
  signal?: AbortSignal,
): Promise<CarriedModel> {
  switch (kind) {
    case 'torchscript':
      return scriptModel(checkpoint, signal);
    case 'exported':
      return exportedModel(checkpoint, signal);
    case 'module':
      return restoredModel(candidate!, [...files, ...sources], signal);
    default:
      return kind satisfies never;
  }
}
