/** What the page and the worker say of the inside of a model: its parts, and what they give. */
import type { Dtype } from '#lib/checkpoint/dtype.ts';
import type { Result } from '#lib/checkpoint/finding.ts';
import type { Pictures } from '#lib/inspect/pictures.ts';
import type { LinearHistogram, TensorSummary } from '#lib/inspect/tensor_statistics.ts';
import type { Backend, RunInput } from './protocol.run.ts';

export type { Bars, Map2d, Pictures, Reduction } from '#lib/inspect/pictures.ts';

export interface GraphCalls {
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
}

/** What goes in: as for a run, or a text whose tokens do. */
export type GraphInput = RunInput | { kind: 'text'; text: string };

/** A pass in evaluation mode, part by part. */
export interface MeasuredGraph {
  /** What a part stands in comes before it; parts are in the order in which they ran. */
  parts: GraphPart[];
  /** `input [1, 1, 28, 28]`, one for each input. */
  inputs: string[];
  /** Of a text, its tokens. */
  tokens: string[] | null;
  /** Milliseconds of a pass that is waited for only at its end. */
  whole: number;
  /** Passes in which every op was waited for, and what one wait without work takes at least. */
  passes: number;
  wait: number;
  /** Bytes of the weights, and of all tensors of the pass where it needs most. */
  weightBytes: number;
  peakBytes: number;
  backend: Backend;
}

/** A module, an op that a module's own forward computes, or an input. */
export interface GraphPart {
  kind: 'module' | 'op' | 'input';
  /** Place in the list of the module that it stands in; null for the model itself. */
  parent: number | null;
  /** Last part of the path, or the op. */
  name: string;
  /** Path of the module; of an op, the one whose forward computes it. */
  path: string;
  /** `Conv2d(1, 16, 3)`; where the file does not say, its only op, or nothing. Empty for ops. */
  type: string;
  /** `model.py line 31`, where a single line calls for it. */
  line: string | null;
  /** Parameters of it alone, and with the modules in it; tied ones count once. */
  ownParameters: number;
  parameters: number;
  /** Of matrix products, convolutions, attention and recurrent layers, with the modules in it. */
  multiplyAdds: number;
  /** What it gives, of several calls the last; empty where it does not run or nothing uses it. */
  outputs: { node: number; shape: number[]; dtype: Dtype }[];
  /** Whether its ops ran. */
  ran: boolean;
  /** Milliseconds of its ops, with those of the modules in it. */
  milliseconds: number;
  /** Bytes of all tensors of the pass while it ran, at most; without the weights. */
  bytes: number;
  /** Node of attention whose weights can be shown. */
  attention: number | null;
}

/** One tensor of a pass. */
export interface SeenTensor {
  shape: number[];
  dtype: Dtype;
  statistics: TensorSummary;
  histogram: LinearHistogram | null;
  pictures: Pictures;
}
