/** What can be saved, and the saving of it. Types only. */
import type { Finding, Result } from '#lib/checkpoint/finding.ts';
import type { Change } from './plain.ts';

export type { Change };

export interface SaveCalls {
  /** The trained model, its data recipe and its settings as a PyTorch project, zipped. */
  project: { args: { which: 'best' | 'last' }; result: Result<{ file: File }> };
  /** The LoRA adapter as PEFT keeps it, zipped; or merged into the base's weights, as a .pt. */
  adapter: {
    args: { which: 'best' | 'last'; as: 'peft' | 'merged' };
    result: Result<{ file: File }>;
  };

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
}

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
  /** Why the format cannot hold it. */
  refusal?: Finding;
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
