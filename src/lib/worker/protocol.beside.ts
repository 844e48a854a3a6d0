/** Checkpoints that are open beside the first: to compare with, to merge, to take tensors from. Types only. */
import type { Result } from '#lib/checkpoint/finding.ts';
import type { Dropped, OpenedCheckpoint } from './protocol.open.ts';

export interface BesideCalls {
  /** Opens one more; a .npy file is a checkpoint of one tensor. */
  openBeside: {
    args: Dropped;
    result: Result<{ beside: Beside }>;
    progress: { bytes: number };
  };
  /** False where it was not open. */
  closeBeside: { args: { id: number }; result: boolean };
}

export interface Beside {
  /** Counts up; an edit names it. */
  readonly id: number;
  readonly name: string;
  readonly format: string;
  readonly size: number;
  readonly totals: OpenedCheckpoint['totals'];
  readonly stateDicts: OpenedCheckpoint['stateDicts'];
}
