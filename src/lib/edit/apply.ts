import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import type { Finding } from '#lib/checkpoint/finding.ts';
import type { Value } from '#lib/checkpoint/value.ts';
import type { Edit, Other } from './edits.ts';

export interface EditContext {
  readonly others: ReadonlyMap<Other, Checkpoint>;
  /** Reads a Python literal; throws a FindingError that names the place. */
  literal(text: string): Value;
}

/** What one edit has done, or why it could not. */
export interface EditStep {
  readonly edit: Edit;
  /** Tensors and entries that it changed. */
  readonly changed: number;
  /** Errors end the list there; warnings (a rule that matches nothing) do not. */
  readonly findings: readonly Finding[];
}

export interface Edited extends Pick<Checkpoint, 'root' | 'metadata'> {
  readonly steps: readonly EditStep[];
  /** Whether every edit was done; else the tree is as the last one that was left it. */
  readonly ok: boolean;
}

/** A function that applies edits in turn; it reads no tensors. */
export type ApplyEdits = (
  checkpoint: Pick<Checkpoint, 'root' | 'metadata'>,
  edits: readonly Edit[],
  context: EditContext,
) => Edited;
