/**
 * Changes of a checkpoint, as plain JSON: a list that people reorder, undo and preview before anything
 * is written. Each takes what the one before it left. Nothing is read or computed until a tensor of
 * the result is: a cast, a sum of checkpoints, a compacted view are storages that do their work when
 * they are read, range by range, so that results may be larger than memory.
 *
 * A tensor's full name is its keys joined by dots (`model.conv1.weight`, `optimizer.state.0.exp_avg`).
 * Globs fit a tensor by its full name or by its key in its own dict.
 */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import type { RenameRule } from './rename.ts';

/** Keys on the way from the root, as Python literals: `["'model'", "'conv1.weight'"]`, `["0"]`. */
export type Path = readonly string[];

/** Number of a checkpoint that is open beside the one that is edited. */
export type Other = number;

export type Edit =
  /** Keys of the dict at `in`; without it of every dict that holds tensors by name. */
  | { readonly kind: 'rename'; readonly in: Path | null; readonly rules: readonly RenameRule[] }
  /** A table of names: from its first to its second. */
  | {
      readonly kind: 'names';
      readonly in: Path | null;
      readonly names: readonly (readonly [from: string, to: string])[];
    }
  /**
   * What one library holds in several tensors and another in one: `torch.cat` of the parts along their
   * first axis, or `torch.chunk` of the whole. Parts and whole are paths of modules, as in rules of the
   * kind `path`; every parameter below them is done.
   */
  | {
      readonly kind: 'cat' | 'chunk';
      readonly in: Path | null;
      readonly parts: readonly string[];
      readonly whole: string;
    }
  /** Tensors and values that fit stay alone, or go; containers that are left empty go with them. */
  | { readonly kind: 'keep' | 'drop'; readonly names: readonly string[] }
  /** Floating-point tensors that fit are rounded to nearest, ties to even, as `Tensor.to`. */
  | { readonly kind: 'cast'; readonly names: readonly string[]; readonly to: Dtype }
  /** Views become tensors of their own with just their elements; `untie` does so for shared ones. */
  | { readonly kind: 'compact' | 'untie'; readonly names: readonly string[] }
  /**
   * Tensors of one dtype and shape, named without wildcards, come to share the storage of the first.
   * That their elements are equal is seen while they are read.
   */
  | { readonly kind: 'tie'; readonly names: readonly string[] }
  /** A plain value, written as a Python literal; a new key goes to the end of its dict. */
  | { readonly kind: 'set'; readonly path: Path; readonly value: string }
  /** A tensor of another checkpoint or .npy file, in the place of one or as a new one. */
  | {
      readonly kind: 'put';
      readonly path: Path;
      readonly other: Other;
      readonly from: Path;
    }
  | { readonly kind: 'delete'; readonly path: Path }
  /** Of the container (safetensors' `__metadata__`); null takes an entry out. */
  | { readonly kind: 'metadata'; readonly entries: Readonly<Record<string, string | null>> }
  /** What is at the path becomes the whole. */
  | { readonly kind: 'extract'; readonly path: Path }
  /** Nested dicts become one with joined keys, and the other way round. */
  | { readonly kind: 'flatten' | 'unflatten'; readonly separator: string }
  | {
      readonly kind: 'merge';
      readonly in: Path | null;
      readonly how: MergeHow;
      readonly others: readonly { readonly other: Other; readonly in: Path | null }[];
    }
  /** LoRA pairs (PEFT's or others' names) of another checkpoint, or of this one, are added. */
  | {
      readonly kind: 'lora';
      readonly in: Path | null;
      readonly other: Other | null;
      /** alpha / rank, where no adapter_config.json says it. */
      readonly scaling: number | null;
    };

export type MergeHow =
  /** Keys of all; one that several have is an error. */
  | { readonly kind: 'disjoint' }
  /** Sum of weight × tensor; the first weight is of the open checkpoint. Equal ones are an average. */
  | { readonly kind: 'weighted'; readonly weights: readonly number[] }
  /** Between two, along the sphere; `t` from the open one (0) to the other (1). */
  | { readonly kind: 'slerp'; readonly t: number }
  /** From the oldest (the open one) to the newest: decay × average + (1 − decay) × next. */
  | { readonly kind: 'ema'; readonly decay: number }
  /** open + Σ scale × (other − base): the last of the others is the base (task arithmetic). */
  | { readonly kind: 'task'; readonly scales: readonly number[] };
