/** What is open: the checkpoint, its tree, its values. Types only. */
import type { Finding, Result } from '#lib/checkpoint/finding.ts';
import type { Dtype } from '#lib/checkpoint/dtype.ts';

export interface OpenCalls {
  /** Opens a checkpoint. On failure, what was open before stays open. */
  open: {
    args: Dropped;
    result: Result<{ checkpoint: OpenedCheckpoint }>;
    /** Bytes read so far: a small part of the file. */
    progress: { bytes: number };
  };
  /** Closes the checkpoint, and with it the model that was built for it. */
  close: { args: object; result: null };
  /** The children of a tree node, `start` to `start + count`. */
  children: { args: { node: number; start: number; count: number }; result: OutlineNode[] };
  /** The first elements of a tensor as exact decimal text, row-major. */
  values: { args: { node: number; count: number }; result: Result<{ values: string[] }> };
  /** Reads every byte of the open checkpoint once, and compares checksums where the file has them. */
  verify: {
    args: object;
    result: Result<{ verified: Verified }>;
    progress: { bytes: number; total: number };
  };
}

/** A file, or the files of a folder (or several files) that were dropped together. */
export type Dropped = (
  | { file: File }
  | {
      /** Name of the folder, or of the first file. */
      name: string;
      /** `path` is relative to the folder, with slashes. */
      files: { path: string; file: File }[];
    }
) & {
  /** Which of the finding's `choices` is meant, where a folder or zip holds several checkpoints. */
  choice?: number;
};

export interface Verified {
  bytes: number;
  seconds: number;
  /** Storages that were read, and how many of them the file has a checksum for. */
  storages: number;
  checksums: number;
}

export interface OpenedCheckpoint {
  name: string;
  size: number;
  /** What kind of file it is, for people: `PyTorch zip checkpoint`. */
  format: string;
  /** Nothing of the file was executed; these are the calls that unpickling it would have made. */
  calls: { name: string; count: number; allowed: boolean }[];
  findings: Finding[];
  root: OutlineNode;
  totals: { tensors: number; elements: number; bytes: number };
  /** Plain facts found at the top: epoch, metrics, versions. */
  facts: { label: string; value: string }[];
  /** Dicts that look like a model's state_dict, the likeliest first. */
  stateDicts: { label: string; tensors: number; elements: number }[];
  optimizer: { label: string; groups: number; states: number } | null;
  /** The forward pass that the file brings beside its weights. */
  carried: CarriedForward | null;
}

export interface CarriedForward {
  /** TorchScript's code, a program of torch.export, or a module that was pickled whole. */
  kind: 'torchscript' | 'exported' | 'module';
  /** Of a module: the user's classes that it is made of. */
  classes: string[];
  /** Whether the file has the source of some of them. */
  hasSource: boolean;
}

/** One row of the checkpoint tree. */
export interface OutlineNode {
  id: number;
  /** The key as Python shows it, without quotes for plain strings: `conv1.weight`, `0`. */
  key: string;
  /** How Python reaches it from the root: `['model']['conv1.weight']`. */
  path: string;
  kind:
    | 'dict'
    | 'list'
    | 'tuple'
    | 'set'
    | 'tensor'
    | 'sparse'
    | 'int'
    | 'float'
    | 'str'
    | 'bool'
    | 'None'
    | 'bytes'
    | 'complex'
    | 'name'
    | 'call';
  /** One line: `OrderedDict, 12 entries`, `0.001`, `'adamw'`. */
  summary: string;
  childCount: number;
  tensor?: {
    dtype: Dtype;
    shape: number[];
    /** Bytes of its elements. */
    bytes: number;
    /** The key that shares the storage and came first, for tied or overlapping tensors. */
    sharedWith?: string;
    location: string;
  };
  /** A remark: the parameter an optimizer state belongs to, an object shown before. */
  note?: string;
}
