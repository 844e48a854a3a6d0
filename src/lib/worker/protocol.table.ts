/** The open checkpoint as a table of its tensors. Types only. */
import type { Finding, Result } from '#lib/checkpoint/finding.ts';
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import type { StandoutCode } from '#lib/inspect/standouts.ts';
import type { TensorSummary } from '#lib/inspect/tensor_statistics.ts';
import type { OutlineNode } from './protocol.open.ts';

export type { StandoutCode, TensorSummary };

export interface TableCalls {
  /** Every tensor at every place where it stands, in the order of the tree. */
  tensorTable: { args: object; result: Result<{ table: TensorTable }> };
  /** Kinds of the table's modules anew: the model may be another one. */
  tensorKinds: { args: object; result: TensorKinds };
  /** The rows of the tree from the root to a tensor of the table, which comes last. */
  tensorNodes: { args: { row: number }; result: OutlineNode[] };
  /** The row of the table that a row of the tree is; null where it is none. */
  tensorRow: { args: { node: number }; result: number | null };
  /** What the numbers of some rows are like, in turn. What is known already costs nothing. */
  summarize: {
    args: { rows: readonly number[] };
    result: Result<{ rows: RowSummary[] }>;
    /** Bytes of the elements that were read. */
    progress: { bytes: number };
  };
  /** What stands out among the rows that were summarized so far, the gravest first. */
  standouts: { args: object; result: RowStandout[] };
  /** Rows whose elements an earlier row has as well, in another storage; of those summarized so far. */
  duplicates: {
    args: object;
    result: Result<{ rows: { row: number; of: number }[] }>;
    progress: { bytes: number; total: number };
  };
}

export interface RowSummary {
  readonly row: number;
  /** Null where the elements cannot be read, or are no numbers. */
  readonly summary: TensorSummary | null;
  /** Why there is none. */
  readonly problem: string;
}

/** One thing that stands out at a row, as a sentence about it. */
export interface RowStandout {
  readonly row: number;
  readonly code: StandoutCode;
  readonly severity: Finding['severity'];
  readonly message: string;
}

/** Columns: a value for each tensor. Few dtypes, shapes and kinds repeat, so they are numbered. */
export interface TensorColumns {
  /** Keys from the root, joined by dots. */
  readonly names: readonly string[];
  /** What says more than the name: `exp_avg of conv1.weight`; else empty. */
  readonly titles: readonly string[];
  /** A remark: `stored as Q4_K`; most are empty. */
  readonly notes: readonly string[];
  readonly dtypes: readonly Dtype[];
  readonly dtype: Uint8Array;
  readonly shapes: readonly (readonly number[])[];
  readonly shape: Uint32Array;
  readonly elements: Float64Array;
  /** Bytes of the elements, as if they were stored without gaps and repeats. */
  readonly bytes: Float64Array;
  /** What it takes of all storages: tied tensors count once. */
  readonly stored: Float64Array;
  /** What compacting its storage would save, in bytes. */
  readonly saving: Float64Array;
  /** Another row: with the same elements, with some of them, in the same storage; -1 for none. */
  readonly tied: Int32Array;
  readonly overlaps: Int32Array;
  readonly shares: Int32Array;
  readonly expanded: Uint8Array;
  readonly meta: Uint8Array;
  /** Rows in the order of the file. */
  readonly order: Uint32Array;
  /** What reading the file has found about single tensors. */
  readonly findings: readonly { readonly row: number; readonly message: string }[];
}

export type TensorTable = TensorColumns & TensorKinds;

/** Kinds of the modules that the tensors belong to. */
export interface TensorKinds {
  readonly kinds: readonly string[];
  readonly kind: Uint16Array;
  /** The model that is built, if its modules have any of the tensors; else null. */
  readonly model: string | null;
  /** Of so many tensors the kind is guessed, by the names and shapes of those that stand together. */
  readonly guessed: number;
}
