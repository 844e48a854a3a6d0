import type { ExportedProgram } from './exported.ts';
import type { Finding } from './finding.ts';
import type { Dict, Value } from './value.ts';

/** What readers return and writers take: a tree of values, and where it came from. */
export interface Checkpoint {
  /** File name, without a folder. */
  readonly name: string;
  /** Name of the format's table entry: `torch`, `safetensors`, `npz`. */
  readonly format: string;
  readonly root: Value;
  /** Size of the file in bytes; 0 for a checkpoint that was made here. */
  readonly size: number;
  /** Facts of the container, such as `byteorder` or safetensors' `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Keys of the metadata whose texts people have put there, which another file may carry on. */
  readonly texts?: ReadonlySet<string>;
  readonly findings: readonly Finding[];
  /** The calls that Python would make to unpickle it. None was made. */
  readonly calls: readonly CallRecord[];
  /** Python sources that the file carries beside its values; text, never run. */
  readonly sources?: readonly ClassSource[];
  /** What a configuration beside the weights says of the model: transformers' config.json. */
  readonly configuration?: Dict;
  /** The forward pass that the file carries beside its weights. Read when it is asked for; data. */
  readonly program?: CarriedProgram;
}

/** TorchScript's code, or programs of torch.export. */
export type CarriedProgram =
  | {
      readonly kind: 'torchscript';
      /** The files below `code/` by their paths: `__torch__/torch/nn/functional.py`. */
      read(signal?: AbortSignal): Promise<ReadonlyMap<string, string>>;
    }
  | {
      readonly kind: 'exported';
      /** By name; most archives have one. */
      read(signal?: AbortSignal): Promise<ReadonlyMap<string, ExportedProgram>>;
    };

/** The source of one class, as it was when the file was written. */
export interface ClassSource {
  /** `__main__.Net` */
  readonly name: string;
  /** Path of the file that it was taken from, on the machine that wrote the checkpoint. */
  readonly file: string;
  readonly text: string;
}

export interface CallRecord {
  /** `torch._utils._rebuild_tensor_v2` */
  readonly name: string;
  readonly count: number;
  /** Whether PyTorch's `weights_only=True` makes this call itself. */
  readonly allowed: boolean;
}
