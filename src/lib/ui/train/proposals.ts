/** What becomes of the form's settings when other data or another model make others fit. */
import type { DataFacts, RunProposal, RunSettings } from '#lib/worker/protocol.ts';
import { isSame } from './options.ts';
import { hasMomentum, optimizers } from './optimizers.ts';
import { newScheduler, type RunLength } from './schedulers.ts';

/**
 * The new proposal, with what the person changed since the one before. What no longer fits goes:
 * states that the checkpoint lacks, a loss that does not take the targets and the metric with it.
 */
export function merged(
  settings: RunSettings,
  before: RunSettings,
  { settings: next, losses, metrics, optimizer, scheduler, scaler }: RunProposal,
): RunSettings {
  const kept = keepChanges(settings, before, next);
  const fits = {
    optimizer: kept.optimizer.name !== 'checkpoint' || optimizer !== null,
    scheduler: kept.scheduler?.name !== 'checkpoint' || scheduler !== null,
    scaler: kept.scaler !== 'checkpoint' || scaler,
    loss: losses.includes(kept.loss.name),
    monitor: metrics.includes(kept.monitor.metric),
  };
  return {
    ...kept,
    optimizer: fits.optimizer ? kept.optimizer : next.optimizer,
    scheduler: fits.scheduler ? kept.scheduler : next.scheduler,
    scaler: fits.scaler ? kept.scaler : next.scaler,
    loss: fits.loss ? kept.loss : next.loss,
    monitor: fits.loss && fits.monitor ? kept.monitor : next.monitor,
  };
}

/** Of `next`, with what differs between `mine` and `before`; data and keep part by part. */
function keepChanges(mine: RunSettings, before: RunSettings, next: RunSettings): RunSettings {
  const parts = <T extends object>(own: T, old: T, other: T): T => {
    const changed = Object.entries(own).filter(([key, value]) => {
      return !isSame(value, old[key as keyof T]);
    });
    return { ...other, ...(Object.fromEntries(changed) as Partial<T>) };
  };
  return {
    ...parts(mine, before, next),
    data: parts(mine.data, before.data, next.data),
    keep: parts(mine.keep, before.keep, next.keep),
  };
}

/** How long a run with these settings is. */
export function runLength(settings: RunSettings, data: DataFacts | null): RunLength {
  const { optimizer, epochs, batchSize, accumulate } = settings;
  const examples = Math.round((data?.train ?? 0) * (1 - settings.data.validationShare));
  const steps = Math.ceil(Math.ceil(examples / batchSize) / accumulate);
  const given = optimizer.options.lr;
  const standard =
    optimizer.name === 'checkpoint' ? 0.001 : optimizers[optimizer.name][0]?.standard;
  return {
    epochs,
    steps: Math.max(1, epochs * steps),
    lr: Number(given ?? standard),
    cyclesMomentum: optimizer.name === 'checkpoint' || hasMomentum(optimizer.name),
  };
}

/** Settings after a change; a schedule that spanned the run as it was spans it still. */
export function changed(
  settings: RunSettings,
  change: Partial<RunSettings>,
  data: DataFacts | null,
): RunSettings {
  const next = { ...settings, ...change };
  const { scheduler } = settings;
  if ('scheduler' in change || !scheduler || scheduler.name === 'checkpoint') return next;
  const { name, interval } = scheduler;
  const spanning = (of: RunSettings) => ({
    ...newScheduler(name, interval, runLength(of, data)),
    interval,
  });
  return isSame(scheduler, spanning(settings)) ? { ...next, scheduler: spanning(next) } : next;
}
