/** The state that a run goes on from: the one that was kept last in memory, or an opened file. */
import { bind } from '#lib/architecture/binding.ts';
import type { ModuleTree } from '#lib/architecture/source.ts';
import { toFloat32 } from '#lib/checkpoint/elements.ts';
import { readTensor } from '#lib/checkpoint/read_tensor.ts';
import type { Dict } from '#lib/checkpoint/value.ts';
import { bestFor } from '#lib/training/best.ts';
import type { Kept } from '#lib/training/kept.ts';
import type { Weights } from '#lib/runtime/model.ts';
import type { Start } from '#lib/training/session.ts';
import type { RunSettings } from '#lib/training/settings.ts';
import { keptFrom } from './kept_state.ts';
import type { Workbench } from './workbench.ts';

export interface RunState {
  readonly start: Start;
  readonly optimizer: Dict | null;
  readonly scheduler: Dict | null;
  readonly scaler: Dict | null;
  /** Averaged weights: in memory, or a state_dict of the file. */
  readonly ema: Weights | Dict | null;
  /** Whether the run takes up the state, and is no new one that starts from its weights. */
  readonly goesOn: boolean;
  /**
   * Whether it is a state of the run that goes on: its optimizer and schedule are taken up whatever
   * the settings say, since they were made by these.
   */
  readonly isOwn: boolean;
}

/**
 * A state in memory, that a run with the settings `before` has made. The rest of an epoch is only
 * its own where both cut the data into the same batches; else the epoch begins anew.
 */
export function stateOf(
  kept: Kept,
  settings: RunSettings,
  before: RunSettings | null,
  isOwn: boolean,
): RunState {
  const { epoch, step, stale, optimizer, scheduler, scaler, ema } = kept;
  const best = bestFor(kept.best, settings.monitor);
  const { batch, partial } =
    isOwn || cutsAlike(settings, before) ? kept : { batch: 0, partial: {} };
  const start = { epoch, batch, step, partial, stale, best };
  return { start, optimizer, scheduler, scaler, ema, goesOn: true, isOwn };
}

function cutsAlike(a: RunSettings, b: RunSettings | null): boolean {
  return (
    a.batchSize === b?.batchSize &&
    a.seed === b.seed &&
    a.data.validationShare === b.data.validationShare &&
    a.data.stratified === b.data.stratified
  );
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
  const { epoch, batch, step, partial, stale, optimizer, scheduler, scaler, ema } = kept;
  const goesOn = isOwn || settings.optimizer.name === 'checkpoint';
  const best = bestFor(kept.best, settings.monitor);
  const start: Start = goesOn
    ? { epoch, batch, step, partial, stale, best }
    : { epoch, batch: 0, step, partial: {}, stale: 0, best: null };
  return { start, optimizer, scheduler, scaler, ema, goesOn, isOwn };
}

/** A state_dict of the model as numbers in memory; null where it is none of this model. */
export async function weightsOf(module: ModuleTree, stateDict: Dict): Promise<Weights | null> {
  const { matched, missing, mismatched } = bind(module.state, stateDict);
  if (missing.length > 0 || mismatched.length > 0) return null;
  const floats = new Map<string, Float32Array>();
  const counters = new Map<string, bigint>();
  for (const { key, dtype, shape } of module.state) {
    const tensor = matched.get(key)?.tensor;
    if (!tensor) continue;
    const bytes = await readTensor(tensor);
    if (dtype === 'float32') floats.set(key, toFloat32(bytes, tensor.dtype));
    else if (dtype === 'int64' && shape.length === 0) {
      counters.set(key, new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(0, true));
    }
  }
  return { floats, counters };
}
