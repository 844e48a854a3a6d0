/** The open checkpoint as a table of its tensors. Types only. */
import type { Result } from '#lib/checkpoint/finding.ts';
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import type { OutlineNode } from './protocol.open.ts';

export interface TableCalls {
  /** Every tensor at every place where it stands, in the order of the tree. */
  tensorTable: { args: object; result: Result<{ table: TensorTable }> };
  /** The rows of the tree from the root to a tensor of the table, which comes last. */
  tensorNodes: { args: { row: number }; result: OutlineNode[] };
  /** The row of the table that a row of the tree is; null where it is none. */
  tensorRow: { args: { node: number }; result: number | null };
}

/** Columns: a value for each tensor. Few dtypes, shapes and kinds repeat, so they are numbered. */
export interface TensorTable {
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
  /** Kinds of modules, by the names and shapes of the tensors that stand together. */
  readonly kinds: readonly string[];
  readonly kind: Uint8Array;
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
