/**
 * Changes a checkpoint by a list of edits. Each takes the tree that the one before it left and gives
 * a new one; what was opened stays as it was. No tensor is read: what an edit computes is a Storage
 * that does its work when a writer asks for a range of it.
 */
import type { Checkpoint } from '#lib/checkpoint/checkpoint.ts';
import { FindingError, type Finding } from '#lib/checkpoint/finding.ts';
import type { Value } from '#lib/checkpoint/value.ts';
import { cast } from './cast.ts';
import { cat, chunk } from './cat.ts';
import type { CastCounter } from './cast_counts.ts';
import type { Edit, Other } from './edits.ts';
import { deleteEntry, extract, put, setMetadata, setValue } from './entries.ts';
import { flatten, unflatten } from './flatten.ts';
import { mergeAdapter } from './lora.ts';
import { merge } from './merge.ts';
import { renameKeys } from './rename_keys.ts';
import { select } from './select.ts';
import { tie } from './tie.ts';
import { compact, untie } from './views.ts';

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

/** What edits change of a checkpoint. */
export type Tree = Pick<Checkpoint, 'root' | 'metadata'>;

export interface Edited extends Tree {
  readonly steps: readonly EditStep[];
  /** Whether every edit was done; else the tree is as the last one that was left it. */
  readonly ok: boolean;
  /** What rounding loses, storage by storage: counted while it is computed, or by `countCasts`. */
  readonly casts: readonly CastCounter[];
}

/** A function that applies edits in turn; it reads no tensors. */
export type ApplyEdits = (tree: Tree, edits: readonly Edit[], context: EditContext) => Edited;

/** What an edit gives: the part of the tree that it changed, and what there is to say. */
export interface Done extends Partial<Tree> {
  readonly changed: number;
  readonly findings?: readonly Finding[];
  readonly casts?: readonly CastCounter[];
}

export const applyEdits: ApplyEdits = ({ root, metadata }, edits, context) => {
  let tree: Tree = { root, metadata };
  const steps: EditStep[] = [];
  const casts: CastCounter[] = [];
  for (const edit of edits) {
    try {
      const { changed, findings = [], casts: made = [], ...rest } = applyEdit(tree, edit, context);
      tree = { ...tree, ...rest };
      casts.push(...made);
      steps.push({ edit, changed, findings });
    } catch (error) {
      if (!(error instanceof FindingError)) throw error;
      steps.push({ edit, changed: 0, findings: [error.finding] });
      return { ...tree, steps, casts, ok: false };
    }
  }
  return { ...tree, steps, casts, ok: true };
};

function applyEdit(tree: Tree, edit: Edit, context: EditContext): Done {
  switch (edit.kind) {
    case 'rename':
    case 'names':
      return renameKeys(tree, edit, context);
    case 'cat':
      return cat(tree, edit, context);
    case 'chunk':
      return chunk(tree, edit, context);
    case 'keep':
    case 'drop':
      return select(tree, edit);
    case 'set':
      return setValue(tree, edit, context);
    case 'put':
      return put(tree, edit, context);
    case 'delete':
      return deleteEntry(tree, edit, context);
    case 'metadata':
      return setMetadata(tree, edit);
    case 'extract':
      return extract(tree, edit, context);
    case 'cast':
      return cast(tree, edit);
    case 'compact':
      return compact(tree, edit);
    case 'untie':
      return untie(tree, edit);
    case 'flatten':
      return flatten(tree, edit);
    case 'unflatten':
      return unflatten(tree, edit);
    case 'merge':
      return merge(tree, edit, context);
    case 'lora':
      return mergeAdapter(tree, edit, context);
    case 'tie':
      return tie(tree, edit);
    default:
      return edit satisfies never;
  }
}
