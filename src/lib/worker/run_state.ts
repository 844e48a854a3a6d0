/** The state that a run goes on from: the one that was kept last in memory, or an opened file. */
import type { Dict } from '#lib/checkpoint/value.ts';
import { bestFor } from '#lib/training/best.ts';
import type { Kept } from '#lib/training/kept.ts';
import type { Start } from '#lib/training/session.ts';
import type { RunSettings } from '#lib/training/settings.ts';
import { keptFrom } from './kept_state.ts';
import type { Workbench } from './workbench.ts';

export interface RunState {
  readonly start: Start;
  readonly optimizer: Dict | null;
  readonly scheduler: Dict | null;
  readonly scaler: Dict | null;
  /**
   * Whether it is a state of the run that goes on: its optimizer and schedule are taken up whatever
   * the settings say, since they were made by these.
   */
  readonly isOwn: boolean;
}

/** A state in memory. */
export function stateOf(kept: Kept, settings: RunSettings, isOwn: boolean): RunState {
  const { epoch, batch, step, partial, stale, optimizer, scheduler, scaler } = kept;
  const best = bestFor(kept.best, settings.monitor);
  return {
    start: { epoch, batch, step, partial, stale, best },
    optimizer,
    scheduler,
    scaler,
    isOwn,
  };
}

/**
 * The state that the open file holds. A run with a fresh optimizer is a new one: it counts the
 * epochs on, but neither the rest of an epoch nor a best score of other settings is its own.
 */
export async function stateOfFile(
  bench: Workbench,
  settings: RunSettings,
  isOwn: boolean,
): Promise<RunState> {
  const kept = await keptFrom(bench.checkpoint.root);
  const { epoch, batch, step, partial, stale, optimizer, scheduler, scaler } = kept;
  const goesOn = isOwn || settings.optimizer.name === 'checkpoint';
  const best = bestFor(kept.best, settings.monitor);
  const start: Start = goesOn
    ? { epoch, batch, step, partial, stale, best }
    : { epoch, batch: 0, step, partial: {}, stale: 0, best: null };
  return { start, optimizer, scheduler, scaler, isOwn };
}
