/** What a scan says of a file: the safety report, and the rows of the lists behind it. */
import type { Finding } from '#lib/checkpoint/finding.ts';

/** Whether a file is safe to load, as far as that can be known without running it. */
export interface SafetyReport {
  name: string;
  size: number;
  /** What kind of file it is, for people. */
  format: string;
  /**
   * `loads`: torch.load(weights_only=True) of the newest PyTorch takes it. `refused`: it does not.
   * `plain`: the format holds no code (safetensors, GGUF, npy). `unreadable`: it is damaged, so that
   * nothing can be promised. `unscanned`: not a kind of file that the lab looks into.
   * Only `loads` and `plain` without a finding of severity error may be shown in green.
   */
  verdict: 'loads' | 'refused' | 'plain' | 'unreadable' | 'unscanned';
  /** The verdict as a sentence, with the first reason. */
  summary: string;
  /** What weights_only refuses first; missing where it loads, or where nothing can be said. */
  reason?: WeightsOnlyReason;
  /** Why `weights_only` refuses, what would run without it, unknown names, odd containers, … */
  findings: Finding[];
  pickles: PickleReport[];
  /** Python sources of classes that the file carries, as its persistent ids do before 1.6. */
  sources: SourceRow[];
  /** Records of the container; 0 where it has none. */
  records: number;
}

/** The source of a class; its text is asked for by its place in the list. */
export interface SourceRow {
  /** `__main__.Net` */
  name: string;
  /** Where it was taken from, on the machine that wrote the checkpoint. */
  file: string;
  /** In UTF-8. */
  bytes: number;
  lines: number;
}

export interface WeightsOnlyReason {
  /** Goes on from "because": `it names os.system`. */
  message: string;
  /** `byte 12 of archive/data.pkl`; missing where the container is meant. */
  where?: string;
  opcode?: string;
  /** Whether PyTorch takes the file is not known: it counts as refused. */
  unsure?: true;
}

export interface PickleReport {
  /** What `trace` and `madeCalls` take. */
  id: number;
  /** Where it lies: `archive/data.pkl`, `the first pickle`, `bytes at byte 812 of archive/data.pkl`. */
  where: string;
  bytes: number;
  protocol: number;
  opcodes: number;
  /** False where it breaks off; the trace goes as far as it could be read. */
  complete: boolean;
  calls: number;
  names: NameRow[];
}

export interface NameRow {
  /** `torch._utils._rebuild_tensor_v2` */
  name: string;
  /** `allowed` by weights_only; `dangerous` runs commands or code; everything else is `unknown`. */
  standing: 'allowed' | 'unknown' | 'dangerous';
  /** How often it would be called; 0 where it is only named. */
  calls: number;
  /** Of the first opcode that names it. */
  offset: number;
}

export interface TraceRow {
  offset: number;
  opcode: string;
  /** The opcode's argument as inert text, cut where it is long. */
  argument: string;
  /** Where reading stopped: what is wrong. */
  problem?: string;
}

export interface CallRow {
  offset: number;
  opcode: string;
  name: string;
  standing: NameRow['standing'];
  /** The arguments as inert text: `('echo hello',)`. */
  arguments: string;
}

export interface RecordRow {
  name: string;
  /** Where its header lies in the file. */
  offset: number;
  size: number;
  compressedSize: number;
  /** `stored`, `deflated`, `method 12`. */
  method: string;
  crc32: string;
}
