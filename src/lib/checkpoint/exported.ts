/**
 * A program of torch.export as data: a flat list of calls of ATen's operators in execution order
 * (torch/_export/serde/schema.py). Values have names; every argument says what it is. Nothing here
 * is looked up; what a reader cannot name is `unknown`, and an error where it is used.
 */
import type { Dtype } from './dtype.ts';

/** A graph within the program. Of its inputs and outputs, null is what is no tensor. */
export interface ExportedPart {
  readonly inputs: readonly (string | null)[];
  readonly outputs: readonly (string | null)[];
  readonly nodes: readonly ExportedNode[];
  readonly tensors: ReadonlyMap<string, ExportedTensor>;
}

export interface ExportedProgram {
  /** PyTorch's, where the file says: `2.13.0+cpu`. */
  readonly torch: string | null;
  /**
   * In the order of the graph's inputs: what the program reads, and the user's inputs. Numbers and
   * flags that were given when it was exported are in its nodes, and left out here.
   */
  readonly inputs: readonly ExportedInput[];
  readonly nodes: readonly ExportedNode[];
  /** Names of the tensors that the user gets. */
  readonly outputs: readonly ExportedOutput[];
  /** What the exporter knew of each tensor. */
  readonly tensors: ReadonlyMap<string, ExportedTensor>;
  /** The least and the largest size that a symbol stands for; null is without a bound. */
  readonly ranges: ReadonlyMap<string, { readonly min: number; readonly max: number | null }>;
  /** Further conditions on the sizes, in Python: `L['x'].size()[0] == L['y'].size()[0]`. */
  readonly guards: readonly string[];
}

export interface ExportedInput {
  readonly name: string;
  readonly kind: 'parameter' | 'buffer' | 'constant' | 'user';
  /** Name in the state_dict or among the constants; empty for the user's. */
  readonly target: string;
}

export interface ExportedOutput {
  /** null for what is no tensor, such as None. */
  readonly name: string | null;
  /** Everything but the user's outputs changes the program's state. */
  readonly kind: 'user' | 'mutation';
}

export interface ExportedTensor {
  readonly shape: readonly (number | OpenSize)[];
  /** Its elements lie one after the other in memory, as `is_contiguous()` has it. */
  readonly isContiguous: boolean;
  readonly dtype: Dtype | null;
}

/** A size that was left open (`torch.export.Dim`). */
export interface OpenSize {
  /** Its name in the program: `s77`; null where it is worked out from others. */
  readonly symbol: string | null;
  /** What it was in the example, where the file says. */
  readonly example: number | null;
}

export interface ExportedNode {
  /** `torch.ops.aten.conv2d.default` */
  readonly target: string;
  readonly inputs: readonly ExportedArgument[];
  /** Names of its results; null for one that nobody takes. */
  readonly outputs: readonly (string | null)[];
  /** A list of tensors is one result. */
  readonly isList: boolean;
  /** The module that it comes from (`layer1.0.conv1`), and the line of the user's source. */
  readonly module: string;
  readonly line: { readonly file: string; readonly line: number } | null;
}

export interface ExportedArgument {
  /** The operator's name for it. */
  readonly name: string;
  readonly value: ExportedValue;
  /** Given by position; files that do not say give all by name. */
  readonly isPositional: boolean;
}

export type ExportedValue =
  | null
  | boolean
  | bigint
  | number
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'list'; readonly items: readonly ExportedValue[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'dtype'; readonly dtype: Dtype }
  /** A part of the program that a node runs with other inputs, and names of its own. */
  | ({ readonly kind: 'graph' } & ExportedPart)
  /** A device, layout or memory format: where numbers lie, not what they are. */
  | { readonly kind: 'placement' }
  | { readonly kind: 'unknown'; readonly what: string };
