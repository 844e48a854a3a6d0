/** From source to a model bound to weights. Types only. */
import type { ModelEdits, RenameRule } from '#lib/architecture/edits.ts';
import type { OptimizerName } from '#lib/checkpoint/optimizer.ts';
import type { Finding, Result } from '#lib/checkpoint/finding.ts';
import type { ModelTask } from './protocol.run.ts';

export type { ModelEdits, RenameRule };

export interface ModelCalls {
  /** The Python files among loose files, a folder's, and those in zips, as text. */
  sourceFiles: {
    args: { files: { path: string; file: File }[] };
    result: Result<{ files: { name: string; text: string }[] }>;
  };
  /** Reads Python source; nothing of it runs. On failure, the source before stays. */
  source: {
    args: { files: { name: string; text: string }[] };
    result: Result<{ candidates: Candidate[]; warnings: Finding[] }>;
  };
  /** The known model whose keys and shapes are exactly those of a state_dict; null if none is. */
  recognise: {
    args: { stateDict: number };
    result: Result<{ recognised: RecognisedModel | null }>;
  };
  /** What of the source has which part of a state_dict's keys and shapes, as far as it is made. */
  fits: { args: { stateDict: number }; result: Result<{ fits: Fit[] }> };
  /** Constructor arguments that the checkpoint's configuration and its shapes suggest. */
  proposeArguments: {
    args: { candidate: string; file?: string; stateDict: number };
    result: Result<{ arguments: Record<string, ProposedArgument> }>;
  };
  /** Builds a model from the source and binds it to a state_dict of the open checkpoint. */
  build: {
    args: {
      candidate: string;
      /** Which one, where several files have a model of that name. */
      file?: string;
      /** Constructor arguments as Python literals: `{ hidden: '128' }`. Empty means default. */
      arguments: Record<string, string>;
      /** Index into `OpenedCheckpoint.stateDicts`. */
      stateDict: number;
      edits?: ModelEdits;
      /** The state_dict is one of the model with these edits, as a run keeps it. */
      kept?: boolean;
    };
    result: Result<{ model: BuiltModel }>;
  };
  /** Builds the model that the open file carries; the open source may define its classes. */
  buildCarried: {
    args: { edits?: ModelEdits; kept?: boolean };
    result: Result<{ model: BuiltModel }>;
  };
  /** What rules would make of the keys of a state_dict, before the model is built with them. */
  renames: {
    args: { stateDict: number; rules: RenameRule[] };
    result: Result<{ renames: Renamed[] }>;
  };
}

export interface Candidate {
  name: string;
  kind: 'class' | 'instance' | 'function';
  file: string;
  line: number;
  arguments: { name: string; default?: string; annotation?: string }[];
}

/** A key that rules change; `clash` where another key becomes the same. */
export interface Renamed {
  from: string;
  to: string;
  clash: boolean;
}

/** How much of a state_dict a candidate has. */
export interface Fit {
  candidate: string;
  file: string;
  /** Keys whose shapes are equal. */
  matched: number;
  /** All keys of either. */
  keys: number;
}

/** A model that is known by its keys, with a source of ours. */
export interface RecognisedModel {
  /** `ResNet-50`. */
  title: string;
  files: { name: string; text: string }[];
  candidate: string;
  arguments: Record<string, ProposedArgument>;
  /** What no shape tells and is taken by custom. */
  assumed: string[];
  /** What the configuration asks for and this source does not compute; null where it serves. */
  refused: string | null;
}

export interface ProposedArgument {
  /** A Python literal. */
  text: string;
  from: 'configuration' | 'shapes' | 'custom';
}

export interface BuiltModel {
  name: string;
  parameters: number;
  /** forward's arguments. */
  inputs: string[];
  /** A shape for one example that the first layers suggest, without the batch; null if unknown. */
  exampleShape: number[] | null;
  /** How it is best run. */
  task: ModelTask;
  report: LoadReport;
  /** False where missing or mismatched keys leave weights without values. */
  ready: boolean;
  /** Whether the checkpoint's optimizer state fits the model's parameters. */
  optimizer: {
    name: OptimizerName;
    states: number;
    /** Of its first param_group, as the form starts with them. */
    learningRate?: number;
    weightDecay?: number;
  } | null;
  optimizerNote: string | null;
  /** Parameters and buffers in the order of the state_dict, tied ones at their first key. */
  weights: WeightRow[];
  /** The layer that gives the output, where it can be replaced by one with other outputs. */
  head: { module: string; outputs: number } | null;
  /** Paths of linear layers that LoRA can work on. */
  linears: string[];
  edits: ModelEdits;
  warnings: Finding[];
}

export interface WeightRow {
  key: string;
  kind: 'parameter' | 'buffer';
  shape: number[];
  /** Whether training changes it; of buffers, whether a layer moves it. */
  trained: boolean;
  /** Where its first value comes from. */
  from: 'file' | 'fresh' | 'missing';
}

export interface LoadReport {
  matched: number;
  missing: string[];
  unexpected: string[];
  mismatched: { key: string; inFile: string; inModel: string }[];
  /** Prefixes that were stripped from the file's keys: `module.`. */
  stripped: string[];
  /** What starts afresh, and how: `uniform from -0.09 to 0.09`. */
  fresh: { key: string; how: string }[];
  notes: string[];
}
