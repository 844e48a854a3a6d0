import { Dict } from '#lib/checkpoint/value.ts';
import { Scheduler, type ParamGroups } from './scheduler.ts';
import type { SchedulerSettings } from './settings.ts';

/**
 * The learning rates of a schedule before anything is trained: for each param_group its rate in
 * steps 0 to `steps` - 1, in at most `points` values. Value i of n is that of step
 * round(i · (steps - 1) / (n - 1)). ReduceLROnPlateau is shown as if its metric always got better.
 * The optimizer's groups stay as they are. Throws a FindingError where the arguments are bad, or the
 * schedule ends before.
 */
export function learningRateCurve(
  settings: SchedulerSettings,
  optimizer: ParamGroups,
  steps: number,
  points: number,
): number[][] {
  const groups = optimizer.groups.map((group) => new Dict(group.entries(), group.type));
  const sign = settings.options.mode === 'max' ? 1 : -1;
  return ratesOf(Scheduler.fresh(settings, { groups }), steps, points, sign);
}

/** The rates that a scheduler goes on to set, from where it is; see `learningRateCurve`. */
export function ratesOf(
  scheduler: Scheduler,
  steps: number,
  points: number,
  sign: 1 | -1 = -1,
): number[][] {
  const count = Math.min(steps, points);
  const curve = scheduler.groups.map((): number[] => []);
  let step = 0;
  for (let point = 0; point < count; point++) {
    const end = count === 1 ? 0 : Math.round((point * (steps - 1)) / (count - 1));
    for (; step < end; step++) scheduler.step(sign * step);
    for (const [index, rate] of scheduler.lastLr.entries()) curve[index]!.push(rate);
  }
  return curve;
}
