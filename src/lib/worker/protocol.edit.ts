/** A list of edits over the open checkpoint: previewed, then written to a new file. Types only. */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import type { Finding, Result } from '#lib/checkpoint/finding.ts';
import type { Edit } from '#lib/edit/edits.ts';
import type { Saved } from './protocol.save.ts';

export type { Edit, MergeHow, Other, Path } from '#lib/edit/edits.ts';

export interface EditCalls {
  /** Applies the edits, without reading a tensor. What the calls below are about is the newest one. */
  previewEdits: { args: { edits: readonly Edit[] }; result: Result<{ preview: EditPreview }> };
  /** Chooses rows of the preview; how many there are. Null where a newer preview took its place. */
  filterEdits: { args: { id: number; show: EditFilter; text: string }; result: number | null };
  /** Of the rows that were chosen last, `start` to `start + count`. */
  editRows: { args: { id: number; start: number; count: number }; result: EditRow[] | null };
  /** Reads what is cast, and counts what overflows. */
  checkCasts: {
    args: { id: number };
    result: Result<{ overflows: Overflow[] }>;
    progress: { bytes: number; total: number };
  };
  /** What is lost, and what becomes something else, where the result is written so. */
  editLosses: { args: { id: number; output: EditOutput }; result: Finding[] };
  /** Writes the result; the places are those of `save`. */
  saveEdited: {
    args: {
      id: number;
      output: EditOutput;
      name: string;
      handle?: FileSystemFileHandle;
      directory?: FileSystemDirectoryHandle;
      /** Bytes of the largest shard. */
      shardSize?: number;
    };
    result: Result<{ saved: Saved; overflows: Overflow[] }>;
    progress: { bytes: number; total: number };
  };
  /** A list of edits as JSON, checked: it may come from anywhere. */
  readEdits: { args: { text: string }; result: Result<{ edits: ListedEdit[] }> };
}

/** An edit of a list; one that is off is kept and not done. */
export interface ListedEdit {
  readonly edit: Edit;
  readonly off: boolean;
}

export interface EditOutput {
  /** `pth` is the format from before 1.6. */
  readonly format: 'pt' | 'pth' | 'safetensors' | 'npz';
  /** Several files and an index: of `pt` as .bin, or of safetensors. */
  readonly sharded: boolean;
  /** Between the keys of nested dicts, where the files hold flat names. */
  readonly separator: string;
  /** Keeps what safetensors cannot hold as a text in its metadata. */
  readonly keepTree: boolean;
}

export interface EditPreview {
  readonly id: number;
  /** Whether every edit was done; else the rows are as the last one that was left them. */
  readonly ok: boolean;
  /** One for each edit that was reached. */
  readonly steps: { readonly changed: number; readonly findings: Finding[] }[];
  readonly before: EditTotals;
  readonly after: EditTotals;
  /** Rows of each kind. */
  readonly counts: Readonly<Record<EditChange, number>>;
  /** Entries of the container's metadata, as they will be. */
  readonly metadata: [key: string, text: string][];
  /** Storages that are rounded to another dtype: what `checkCasts` reads. */
  readonly casts: number;
  /** What the result suggests to do next. */
  readonly hints: EditHint[];
}

export interface EditTotals {
  tensors: number;
  /** Each storage once. */
  bytes: number;
}

/** What became of a row; of several, `changed` stands for other elements, shapes or values. */
export type EditChange = 'renamed' | 'cast' | 'changed' | 'new' | 'dropped' | 'same';
/** Which rows: those that are not the same, those of one kind, or all. */
export type EditFilter = 'changes' | 'all' | Exclude<EditChange, 'same'>;

export interface EditRow {
  readonly changes: EditChange[];
  readonly before: EditSide | null;
  readonly after: EditSide | null;
}

/** A tensor, or a plain value in one line. */
export interface EditSide {
  /** Keys joined by dots: what globs fit. */
  readonly name: string;
  readonly dtype?: Dtype;
  readonly shape?: number[];
  /** Bytes of its elements. */
  readonly bytes?: number;
  /** Of a plain value. */
  readonly value?: string;
}

export interface EditHint {
  readonly title: string;
  /** What it would do: `12 tensors, 4.2 GB less`. */
  readonly detail: string;
  readonly edits: readonly Edit[];
}

export interface Overflow {
  /** Names of the tensors, as they were when they were rounded. */
  readonly name: string;
  readonly from: Dtype;
  readonly to: Dtype;
  /** Finite elements that became infinite, NaN or the largest number. */
  readonly count: number;
}
