/** Whether settings make sense by themselves, before a model or data are looked at. */
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { RunSettings } from './settings.ts';

/** Seeds are 32 bits wide, as the generator's state takes them. */
const MAX_SEED = 2 ** 32;

/**
 * Throws a FindingError for the first setting that makes no sense. What belongs to the optimizer,
 * the schedule or the loss is checked by these.
 */
export function checkSettings(settings: RunSettings): void {
  const { clip, ema, earlyStopping, data, keep, scaler } = settings;
  const wrong =
    atLeast('epochs', settings.epochs, 1) ??
    atLeast('batch size', settings.batchSize, 1) ??
    atLeast('accumulated batches', settings.accumulate, 1) ??
    atLeast('seed', settings.seed, 0, MAX_SEED - 1) ??
    between('validation share', data.validationShare, 0, 1) ??
    (clip?.kind === 'norm'
      ? (positive('the norm to clip at', clip.maxNorm) ??
        positive('norm type', clip.normType, true))
      : clip && positive('the value to clip at', clip.clipValue)) ??
    (ema && between('EMA decay', ema.decay, 0, 1)) ??
    (earlyStopping &&
      (atLeast('patience', earlyStopping.patience, 1) ??
        between('min_delta', earlyStopping.minDelta, 0, Infinity))) ??
    (scaler === null || scaler === 'checkpoint'
      ? null
      : (positive('init_scale', scaler.init_scale) ??
        (scaler.growth_factor > 1
          ? null
          : `growth_factor is ${scaler.growth_factor}, expected more than 1`) ??
        between('backoff_factor', scaler.backoff_factor, 0, 1) ??
        atLeast('growth_interval', scaler.growth_interval, 1))) ??
    atLeast('epochs between files', keep.every, 0) ??
    atLeast('files to keep', keep.newest, 0) ??
    atLeast('steps between saves', keep.steps, 0);
  if (!wrong) return;
  throw new FindingError({
    code: 'training-settings',
    message: `training: ${wrong}`,
    advice: 'Correct the setting and start again.',
  });
}

/** A sentence where a number is no integer from `least` on. */
function atLeast(name: string, value: number, least: number, most = Infinity): string | undefined {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return undefined;
  const range = most === Infinity ? `${least} or more` : `an integer from ${least} to ${most}`;
  return `${name} is ${value}, expected ${range}`;
}

/** A sentence where a number is not from `least` on and below `most`. */
function between(name: string, value: number, least: number, most: number): string | undefined {
  if (value >= least && value < most) return undefined;
  const limit = most === Infinity ? '' : ` and less than ${most}`;
  return `${name} is ${value}, expected ${least} or more${limit}`;
}

function positive(name: string, value: number, orInfinite = false): string | undefined {
  if (value > 0 && (orInfinite || Number.isFinite(value))) return undefined;
  return `${name} is ${value}, expected more than 0`;
}
