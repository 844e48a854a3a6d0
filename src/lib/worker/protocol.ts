/**
 * What the page and the lab's worker say to each other. The open checkpoint, the model and the
 * training run live in the worker; the page holds only what is written here. Every call carries an
 * id; the page may abort it, and a long one reports progress. What goes wrong with the user's files
 * comes back as a Result with findings; a rejected call is a defect of the lab.
 *
 * Types only: both sides import this, nothing here runs.
 */
import type { Finding, Result } from '#lib/checkpoint/finding.ts';
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import type {
  CallRow,
  NameRow,
  PickleReport,
  RecordRow,
  SafetyReport,
  SourceRow,
  TraceRow,
} from '#lib/inspect/safety/report.ts';
import type { Change } from './plain.ts';
import type { GraphInput, MeasuredGraph, SeenTensor } from './protocol.graph.ts';
import type {
  Checked,
  Compared,
  ModelTask,
  OpenedArrays,
  Pooling,
  RunInput,
  RunResult,
  TableFacts,
  ClassNames,
  TokenizerFacts,
  WriteSettings,
  Written,
} from './protocol.run.ts';

export type * from './protocol.graph.ts';
export type * from './protocol.run.ts';
export type { Finding, Result, Dtype };
export type { CallRow, NameRow, PickleReport, RecordRow, SafetyReport, SourceRow, TraceRow };

/** Every call: its argument and what it resolves to. */
export interface Calls {
  /** Opens a checkpoint. On failure, what was open before stays open. */
  open: {
    args: Dropped;
    result: Result<{ checkpoint: OpenedCheckpoint }>;
    /** Bytes read so far: a small part of the file. */
    progress: { bytes: number };
  };
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

  /**
   * What can be said about the safety of a file, whether it opens or not; without `file`, of the
   * checkpoint that is open. The report stays in the worker for the calls below.
   */
  scan: {
    args: { file?: File };
    result: Result<{ report: SafetyReport }>;
    progress: { bytes: number };
  };
  /** Opcodes of one of the report's pickles, from number `start` on. */
  trace: {
    args: { pickle: number; start: number; count: number };
    result: Result<{ rows: TraceRow[]; total: number }>;
  };
  /**
   * Calls of one of the report's pickles in the order in which unpickling would make them; with
   * `refused`, only those that `weights_only` does not allow.
   */
  madeCalls: {
    args: { pickle: number; start: number; count: number; refused?: boolean };
    result: Result<{ rows: CallRow[]; total: number }>;
  };
  /** The container's records in the order of its directory. */
  records: {
    args: { start: number; count: number };
    result: Result<{ rows: RecordRow[]; total: number }>;
  };
  /** The Python source of a class, by its place in the report. */
  classSource: { args: { index: number }; result: Result<{ text: string }> };
  /** The whole report as a JSON file to download. */
  report: { args: object; result: Result<{ file: File }> };

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
    };
    result: Result<{ model: BuiltModel }>;
  };
  /** Builds the model that the open file carries; the open source may define its classes. */
  buildCarried: { args: object; result: Result<{ model: BuiltModel }> };

  /** Opens a data set (npz). On failure, the one before stays. */
  data: { args: { file: File }; result: Result<{ data: OpenedData }> };
  /** One example of the open data: its picture or values, and its label. */
  example: { args: { split: Split; index: number }; result: Result<{ example: Example }> };

  /** A forward pass in evaluation mode. */
  run: { args: { input: RunInput; top: number }; result: Result<{ run: RunResult }> };
  /** Opens a file of tensors to run on (npy, npz, pt, safetensors). */
  arrays: { args: { file: File }; result: Result<{ arrays: OpenedArrays }> };
  /** Reads a table's text; nothing of it is kept. */
  table: { args: { text: string; features: number }; result: Result<{ table: TableFacts }> };
  /**
   * Names of the model's classes: from a file, or without one from the open checkpoint, or else those
   * that are known for a head with so many outputs.
   */
  classNames: {
    args: { file?: File; outputs?: number };
    result: Result<{ found: ClassNames | null }>;
  };
  /** Opens a tokenizer; without files, the vocabulary that the open checkpoint holds, if any. */
  tokenizer: { args: { files: File[] }; result: Result<{ tokenizer: TokenizerFacts | null }> };
  /** Writes on from a prompt. */
  write: {
    args: WriteSettings;
    result: Result<{ written: Written }>;
    progress: Written;
  };
  /** Turns texts into vectors and compares them. */
  compare: {
    args: { texts: string[]; pooling: Pooling };
    result: Result<{ compared: Compared }>;
    progress: { done: number; total: number };
  };
  /** Compares with what PyTorch gave: a file of {input, output, activations}. */
  check: {
    args: { file: File };
    result: Result<{ checked: Checked }>;
    progress: { done: number; total: number };
  };

  /** A pass in evaluation mode, with the time and memory of each part of the model. */
  measure: {
    args: { input: GraphInput };
    result: Result<{ graph: MeasuredGraph }>;
    /** Nodes of the graph. */
    progress: { done: number; total: number };
  };
  /**
   * What a node of the measured graph gives for the same input, or the weights of its attention;
   * `start` and `count` say which of its pictures are wanted.
   */
  look: {
    args: { node: number; what: 'output' | 'attention'; start: number; count: number };
    result: Result<{ seen: SeenTensor }>;
  };

  /** Trains until done, stopped or aborted; progress is TrainProgress. */
  train: {
    args: TrainSettings;
    result: Result<{ summary: TrainSummary }>;
    progress: TrainProgress;
  };
  pause: { args: object; result: null };
  resume: { args: object; result: null };
  /** Ends the run after the step in progress; best and last are kept. */
  stop: { args: object; result: null };

  /** What can be saved now, with file names. */
  saves: { args: object; result: SaveChoice[] };
  /**
   * Writes a checkpoint. With `handle` (from a save picker) it goes there and is read back and
   * verified; without, the result holds a File to download. Shards go into a new folder `name` in
   * `directory`; without, into a zip to download.
   */
  save: {
    args: {
      choice: string;
      handle?: FileSystemFileHandle;
      directory?: FileSystemDirectoryHandle;
      name?: string;
      /** Bytes of the largest shard; what huggingface_hub takes, where it is not given. */
      shardSize?: number;
    };
    result: Result<{ saved: Saved }>;
    progress: { bytes: number; total: number };
  };
  /** The backend that runs models, made on first use. */
  backend: { args: object; result: Result<{ backend: Backend }> };
}

export type CallName = keyof Calls;
export type Progress<K extends CallName> = Calls[K] extends { progress: infer P } ? P : never;

export type Request =
  | { [K in CallName]: { id: number; call: K; args: Calls[K]['args'] } }[CallName]
  | { id: number; abort: true }
  /** Answered at once, between two steps of whatever runs. */
  | { ping: true };

export type Reply =
  | { pong: true }
  | { id: number; result: unknown }
  | { id: number; progress: unknown }
  | { id: number; error: { name: string; message: string; stack?: string } };

/** A file, or the files of a folder (or several files) that were dropped together. */
export type Dropped =
  | { file: File }
  | {
      /** Name of the folder, or of the first file. */
      name: string;
      /** `path` is relative to the folder, with slashes. */
      files: { path: string; file: File }[];
      /** Which of the finding's `choices` is meant, where the folder holds several checkpoints. */
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

export interface Candidate {
  name: string;
  kind: 'class' | 'instance' | 'function';
  file: string;
  line: number;
  arguments: { name: string; default?: string; annotation?: string }[];
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
  warnings: Finding[];
}

export interface LoadReport {
  matched: number;
  missing: string[];
  unexpected: string[];
  mismatched: { key: string; inFile: string; inModel: string }[];
  /** Prefixes that were stripped from the file's keys: `module.`. */
  stripped: string[];
  notes: string[];
}

export type Split = 'train' | 'test';

export interface OpenedData {
  name: string;
  arrays: { name: string; dtype: string; shape: number[] }[];
  train: number;
  /** Held-out examples that the file brings; 0 where validation must be split off. */
  test: number;
  exampleShape: number[];
  /** How stored numbers become inputs: `uint8 / 255` or `as stored`. */
  scaling: string;
  classes: number | null;
}

export interface Example {
  label: string | null;
  shape: number[];
  /** The model's input, row-major. */
  values: Float32Array;
}

export type BackendName = 'webgpu' | 'webgl' | 'cpu';
export interface Backend {
  name: BackendName;
  /** The adapter, where the browser says: `nvidia ampere`, `google swiftshader`. */
  adapter: string;
  /** Why a better one was not taken. */
  reason?: string;
}

export type OptimizerName = 'SGD' | 'Adam' | 'AdamW';

export interface TrainSettings {
  /**
   * `checkpoint` starts from the file's weights and drops what a run before has made; `last` goes
   * on from where that run ended, with its optimizer.
   */
  from: 'checkpoint' | 'last';
  epochs: number;
  batchSize: number;
  learningRate: number;
  weightDecay: number;
  seed: number;
  /** `checkpoint` goes on with the state in the file (or of the run before); a name starts afresh. */
  optimizer: 'checkpoint' | OptimizerName;
  loss: 'cross_entropy' | 'nll_loss';
  /** Share of the training examples used for validation; 0 uses the data's own test split. */
  validationShare: number;
}

export interface TrainProgress {
  state: 'starting' | 'running' | 'paused' | 'validating';
  /** Counted on from the checkpoint's epoch. */
  epoch: number;
  epochs: number;
  step: number;
  steps: number;
  /** New points since the last report; x is the step within this run. */
  train: { step: number; loss: number; accuracy: number }[];
  validation: { step: number; epoch: number; loss: number; accuracy: number }[];
  examplesPerSecond: number;
  secondsLeft: number | null;
  best: { epoch: number; loss: number; accuracy: number } | null;
}

export interface TrainSummary {
  stopped: boolean;
  epochs: number;
  steps: number;
  seconds: number;
  best: { epoch: number; loss: number; accuracy: number } | null;
  last: { epoch: number; loss: number; accuracy: number } | null;
}

export type { Change };

export interface SaveChoice {
  /** What `save` takes back. */
  id: string;
  which: 'best' | 'last' | 'opened';
  /** `plain`: the tensors and plain values, without what PyTorch refuses. */
  contents: 'weights' | 'checkpoint' | 'plain';
  /** `pth` is the format from before 1.6; `bin` that of `pt`, in shards. */
  format: 'pt' | 'pth' | 'safetensors' | 'npz' | 'bin';
  /** Several files and an index. */
  sharded?: true;
  /** `digits_epoch3_valloss0.0821.pt`; of shards, the folder's. */
  name: string;
  /** One line on what is inside and what is not. */
  description: string;
  /** Of `plain`: what was left out, or became something else; the first hundred. */
  changes?: Change[];
}

export interface Saved {
  name: string;
  bytes: number;
  /** Read back after writing and found equal. */
  verified: boolean;
  /** To download, where no place was given. */
  file?: File;
  /** What was written into the folder. */
  files?: string[];
}
