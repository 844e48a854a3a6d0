/** What the Run page and the worker say to each other: inputs, outputs, text, checks. Types only. */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import type { Result } from '#lib/checkpoint/finding.ts';
import type { InputDtype } from '#lib/architecture/source.ts';
import type { Pooling } from '#lib/inputs/embeddings.ts';
import type { ImageRecipe } from '#lib/inputs/image.ts';
import type { Sampling } from '#lib/inputs/sampling.ts';
import type { Example, Split } from './protocol.train.ts';

export type { ImageRecipe, InputDtype, Pooling, Sampling };

export interface RunCalls {
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
  /** The backend that runs models, made on first use. */
  backend: { args: object; result: Result<{ backend: Backend }> };
}

export type BackendName = 'webgpu' | 'webgl' | 'cpu';

export interface Backend {
  name: BackendName;
  /** The adapter, where the browser says: `nvidia ampere`, `google swiftshader`. */
  adapter: string;
  /** Why a better one was not taken. */
  reason?: string;
}

/** What a model seems to be for, by what goes in and what comes out of a trial trace. */
export interface ModelTask {
  /**
   * `image`: (N, C, H, W) with one or three channels; `vector`: (N, F); `write`: token ids to
   * logits over the vocabulary; `compare`: token ids to vectors; `tensors`: anything else.
   */
  kind: 'image' | 'vector' | 'write' | 'compare' | 'tensors';
  /** One for each input of forward, batch included; shapes are suggestions that forward takes. */
  inputs: InputSpec[];
  /** Shapes that the trial gave; empty where no trial went through. */
  outputs: number[][];
  /** Rows of the embedding that token ids look up. */
  vocabulary: number | null;
  /** Ways to prepare a picture, the likeliest first; empty where none fits. */
  recipes: { title: string; recipe: ImageRecipe }[];
}

export interface InputSpec {
  name: string;
  shape: number[];
  dtype: InputDtype;
}

export type RunInput =
  | { kind: 'example'; split: Split; index: number }
  | { kind: 'image'; image: Blob; recipe: ImageRecipe }
  /** Rows of CSV; the columns by number, in the order of the features. */
  | { kind: 'table'; text: string; columns: number[]; standardise: boolean }
  | { kind: 'tensors'; inputs: TensorInput[] };

/** One input of forward, whole: with its batch. */
export type TensorInput =
  /** Normal numbers; integers from 0 to `below` − 1; bools. */
  | { from: 'random'; shape: number[]; dtype: InputDtype; seed: number; below: number }
  /** A tensor of the arrays that are open, by name. */
  | { from: 'file'; name: string; dtype: InputDtype };

/** A file of tensors to run on. */
export interface OpenedArrays {
  name: string;
  arrays: { name: string; dtype: Dtype; shape: number[] }[];
}

export interface OutputTensor {
  name: string;
  /** With the batch. */
  shape: number[];
  dtype: Dtype;
  values: Float32Array | Int32Array | Uint8Array;
}

export interface RunResult {
  outputs: OutputTensor[];
  /**
   * The largest of a first output of shape (1, K); `probability` is a softmax over the outputs,
   * or exp of them where they are the result of log_softmax already.
   */
  top: { index: number; value: number; probability: number }[];
  /** Wall time of the forward pass and its read-back; the first one compiles shaders. */
  milliseconds: number;
  first: boolean;
  backend: Backend;
  /** The first input as the model saw it. */
  input: Example;
}

/** What was read of a table's text. */
export interface TableFacts {
  columns: string[];
  rows: number;
  /** Name of the scaler in the checkpoint that fits the model's features. */
  scaler: string | null;
}

export interface ClassNames {
  names: string[];
  /** The file, or the list, that they come from. */
  from: string;
  /** The number of outputs alone speaks for them. */
  isGuess: boolean;
}

export interface TokenizerFacts {
  /** `65 characters, from meta.pkl`. */
  title: string;
  size: number;
}

export interface WriteSettings {
  prompt: string;
  /** Tokens to write at most. */
  count: number;
  sampling: Sampling;
  seed: number;
}

export interface Written {
  prompt: string;
  /** What the model wrote behind the prompt. */
  text: string;
  tokens: number;
  /** Tokens of the prompt. */
  read: number;
  tokensPerSecond: number;
  /** How the model is run, and how far it looks back: one line. */
  how: string;
}

export interface Compared {
  texts: string[];
  /** Tokens of each text. */
  tokens: number[];
  vectors: Float32Array[];
  /** Cosine of every pair, row by row. */
  cosines: number[][];
}

/** One tensor of the file against the same one here. */
export interface CheckRow {
  /** `output`, or the module's path. */
  name: string;
  kind: 'output' | 'module';
  shape: number[];
  /** The largest difference over the largest number in the file; null where none is compared. */
  error: number | null;
  /** The largest difference itself, and the largest number in the file. */
  difference: number;
  largest: number;
  /** Why it was not compared. */
  note?: string;
}

export interface Checked {
  name: string;
  /** Outputs first, then modules in the order in which they ran. */
  rows: CheckRow[];
  backend: Backend;
}
