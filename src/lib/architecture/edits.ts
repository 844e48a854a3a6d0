/**
 * Changes of a model before it is trained, as plain JSON: what the page's form makes, run.json
 * keeps, and what the exported model.py does in Python.
 */
import type { RenameRule } from '#lib/edit/rename.ts';

export type { RenameRule };

export interface Lora {
  readonly rank: number;
  /** The update is scaled by alpha / rank. */
  readonly alpha: number;
  readonly dropout: number;
  /** Names or globs of linear modules, as PEFT's target_modules: the last parts of their paths. */
  readonly targets: readonly string[];
}

export interface ModelEdits {
  /** What happens to the names in the file before they are matched; the first rule comes first. */
  readonly rename: readonly RenameRule[];
  /** The last linear layer, or another one by its path, made anew with so many outputs. */
  readonly head: { readonly module: string; readonly outputs: number } | null;
  /** Keys of parameters that are not trained, as globs; `!` before one takes back. */
  readonly freeze: readonly string[];
  readonly lora: Lora | null;
  /** Weights that start afresh whatever the file holds, as globs over keys: `*` is from scratch. */
  readonly fresh: readonly string[];
  /** Whether every other weight must be in the file; else what it lacks starts afresh. */
  readonly strict: boolean;
}

export const noEdits: ModelEdits = {
  ...{ rename: [], head: null, freeze: [], lora: null },
  ...{ fresh: [], strict: true },
};

/** Globs that freeze everything but the head. */
export function allBut(head: string): string[] {
  return ['*', `!${head}.*`];
}
