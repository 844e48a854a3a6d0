/** Two checkpoints side by side, and several in a row. Types only. */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import type { Result } from '#lib/checkpoint/finding.ts';
import type { RenameRule } from '#lib/edit/rename.ts';
import type { TensorChanges } from '#lib/inspect/compare/changes.ts';
import type { Difference } from '#lib/inspect/compare/difference.ts';
import type { DifferingValue } from '#lib/inspect/compare/differing_values.ts';
import type { Fact } from '#lib/inspect/compare/facts.ts';
import type { Suggestion } from '#lib/inspect/compare/suggest.ts';

export type { TensorChange, TensorChanges } from '#lib/inspect/compare/changes.ts';
export type { Difference, Measured } from '#lib/inspect/compare/difference.ts';
export type { DifferingValue } from '#lib/inspect/compare/differing_values.ts';
export type { Fact } from '#lib/inspect/compare/facts.ts';
export type { Suggestion } from '#lib/inspect/compare/suggest.ts';

export interface CompareCalls {
  /** Pairs the tensors and compares everything that is known without reading them. */
  pairTensors: { args: CompareArgs; result: Result<{ paired: PairedCheckpoints }> };
  /**
   * Compares the numbers of every pair of one shape, in the order of the rows of `pairTensors` for
   * the same arguments, but for those of the `known` rows. Outcomes come while it runs, each once.
   */
  compareCheckpoints: {
    args: CompareArgs & { readonly known?: readonly number[] };
    result: Result<{ bytes: number; seconds: number }>;
    /** Bytes of both sides that were read, and what has been found since the last report. */
    progress: { bytes: number; total: number; outcomes: [row: number, outcome: PairOutcome][] };
  };
  /** Tensors without a partner that may belong together, by shape and values. */
  suggestPairs: {
    args: CompareArgs;
    result: Result<{ suggestions: Suggestion[] }>;
    progress: { done: number; total: number };
  };
  /** Where a pair differs, and by how much. `max` is its largest |Δ|, as the comparison told it. */
  tensorChanges: {
    args: { a: Side; b: Side; pair: readonly [a: number, b: number]; max: number | null };
    result: Result<{ changes: TensorChanges }>;
    progress: { bytes: number; total: number };
  };
  /** Each tensor through several checkpoints, which are put in the order of their epochs. */
  compareSeries: {
    args: { members: readonly SeriesMember[] };
    result: Result<{ series: Series }>;
    progress: { bytes: number; total: number };
  };
  /** The checkpoints that a kept run has, to be opened beside. */
  runCheckpoints: { args: { id: string }; result: Result<{ files: File[] }> };
}

/** A checkpoint, and which of its tensors count. */
export interface Side {
  /** One that is open beside; null for the open checkpoint. */
  readonly checkpoint: number | null;
  /** Which of its `stateDicts`; null for all tensors of the file, by their full names. */
  readonly stateDict: number | null;
}

export interface CompareArgs {
  readonly a: Side;
  readonly b: Side;
  /** What becomes of the names of `b`; null for the prefixes that are found by themselves. */
  readonly rules: readonly RenameRule[] | null;
  /** Pairs that were chosen by hand: places in both lists of tensors. */
  readonly chosen: readonly (readonly [a: number, b: number])[];
}

export interface PairedCheckpoints {
  /** Pairs and tensors of `a` in its order, then those that only `b` has. */
  readonly rows: readonly PairRow[];
  /** The rules that were taken. */
  readonly rules: readonly RenameRule[];
  /** Rules with which more would pair, where others were given. */
  readonly offered: readonly RenameRule[] | null;
  /** Rules that pair as many tensors, but others, where none could be chosen by itself. */
  readonly choices: readonly (readonly RenameRule[])[];
  readonly facts: readonly Fact[];
  readonly values: readonly DifferingValue[];
  /** Differing values that are not listed. */
  readonly moreValues: number;
  /** The container's own, such as safetensors' `__metadata__`. */
  readonly metadata: readonly DifferingValue[];
}

export interface PairRow {
  readonly a: TensorRow | null;
  readonly b: TensorRow | null;
  /** Paired by hand. */
  readonly chosen?: true;
  /** What differs beside the numbers: quantization, requires_grad, memory format, ties. */
  readonly facts?: readonly Fact[];
  /** What stands in the way of comparing numbers: another shape, no elements. */
  readonly obstacle?: string;
}

export interface TensorRow {
  /** Place in the list of tensors of its side. */
  readonly place: number;
  /** Full name. */
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly requiresGrad: boolean;
}

/** How a pair differs, or why it could not be read. */
export type PairOutcome = Difference | string;

export interface SeriesMember extends Side {
  readonly name: string;
}

export interface Series {
  /** In the order of epochs and steps, then of names; what tells none of them comes last. */
  readonly members: readonly {
    readonly name: string;
    readonly epoch: number | null;
    readonly step: number | null;
    /** The epoch, or where there is none the step, is read off the name. */
    readonly isNamed: boolean;
  }[];
  /** All that any member has, by name and shape. */
  readonly tensors: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    /** ‖x‖ in each member; null where there is a gap. */
    readonly norms: readonly (number | null)[];
    /** ‖Δ‖ from the member before; null for the first, at a gap and behind it. */
    readonly moves: readonly (number | null)[];
    /** Members without a norm: the tensor is not there, has another shape, is not finite. */
    readonly gaps: readonly { readonly member: number; readonly why: string }[];
  }[];
}
