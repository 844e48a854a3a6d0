/** One tensor of the open checkpoint: its values, what they are like, its pictures. Types only. */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import type { Result } from '#lib/checkpoint/finding.ts';
import type { Pictures, Reduction } from '#lib/inspect/pictures.ts';
import type { TensorStatistics } from '#lib/inspect/tensor_statistics.ts';

export type { TensorStatistics, TensorSummary } from '#lib/inspect/tensor_statistics.ts';

export interface InspectCalls {
  /** What an index picks. An index that does not fit is a finding. */
  tensorSlice: { args: TensorPlace; result: Result<{ slice: TensorSlice }> };
  /**
   * Elements of a box as exact text, row-major: from `start` on, `size` of them, along each axis of
   * the slice. At most 100,000.
   */
  tensorCells: {
    args: TensorPlace & { start: number[]; size: number[] };
    result: Result<{ cells: string[] }>;
  };
  tensorStatistics: {
    args: TensorPlace;
    result: Result<{ statistics: TensorStatistics }>;
    progress: Part;
  };
  /** Pictures `start` to `start + count` of the slice. */
  tensorPictures: {
    args: TensorPlace & { start: number; count: number; by: Reduction };
    result: Result<{ pictures: Pictures }>;
    progress: Part;
  };
  /** Rows of a matrix that are most like one of them, the nearest first, without itself. */
  tensorNeighbours: {
    args: TensorPlace & { row: number; count: number; by: Likeness };
    result: Result<{ neighbours: Neighbours }>;
    progress: Part;
  };
  /** Of a matrix, in falling order; axes after the first are taken as one, as in a convolution. */
  tensorSingularValues: {
    args: TensorPlace;
    result: Result<{ values: Float64Array }>;
    progress: Part;
  };
  /** `torch.tensor([[…]], dtype=torch.float32)`, of at most 10,000 elements. */
  tensorLiteral: { args: TensorPlace; result: Result<{ literal: string }> };
  /** A .npy file of the slice. `note` tells what was changed for NumPy. */
  tensorArray: {
    args: TensorPlace & { name: string };
    result: Result<{ file: File; note: string | null }>;
    progress: Part;
  };
}

/** How much of the work is done, in whatever it is counted. */
export interface Part {
  done: number;
  total: number;
}

/** A tensor of the outline, or a part of it. */
export interface TensorPlace {
  node: number;
  /** As in PyTorch, with or without brackets: `0, :, 3:7`. Empty for all of it. */
  index: string;
}

export interface TensorSlice {
  dtype: Dtype;
  shape: number[];
  /** The shape of the whole tensor. */
  whole: readonly number[];
  /** Bytes of its elements. */
  bytes: number;
  /** Index of its first element in the whole tensor. */
  origin: number[];
  /** Which axis of the whole tensor each of its axes runs along, and by how much a step; null for new axes. */
  steps: ({ axis: number; by: number } | null)[];
}

export type Likeness = 'cosine' | 'distance';

export interface Neighbours {
  row: number;
  by: Likeness;
  /** Cosine, and Euclidean distance. */
  rows: readonly { readonly row: number; readonly cosine: number; readonly distance: number }[];
  /** The tokens of `row` and of `rows`, where a tokenizer is open that has no more than the rows. */
  tokens: { row: string; rows: string[] } | null;
}
