/** The learning rate over a run, before it is trained. */
import { Dict, isDict } from '#lib/checkpoint/value.ts';
import type { Dataset } from '#lib/inputs/data/dataset.ts';
import { splitData } from '#lib/inputs/data/split.ts';
import { learningRateCurve, ratesOf } from '#lib/optim/schedulers/curve.ts';
import { recogniseScheduler } from '#lib/optim/schedulers/recognise.ts';
import { Scheduler } from '#lib/optim/schedulers/scheduler.ts';
import type { RunSettings } from '#lib/training/settings.ts';
import type { RateCurve } from './protocol.train.ts';
import { stateOf, stateOfFile } from './run_state.ts';
import type { Workbench } from './workbench.ts';

/** More than a chart has pixels for. */
const POINTS = 400;

/** Optimizer steps of an epoch. */
export function stepsPerEpoch(data: Dataset, settings: RunSettings): number {
  const { train } = splitData(data, { ...settings.data, seed: settings.seed });
  return Math.ceil(Math.ceil(train.count / settings.batchSize) / settings.accumulate);
}

/** Throws a FindingError for arguments that torch would refuse. Needs a backend for fresh optimizers. */
export async function rateCurve(
  bench: Workbench,
  data: Dataset,
  settings: RunSettings,
): Promise<RateCurve> {
  const perEpoch = stepsPerEpoch(data, settings);
  const isByStep = settings.scheduler?.interval === 'step';
  const unit = isByStep ? 1 : perEpoch;
  const count = Math.max(1, isByStep ? settings.epochs * perEpoch : settings.epochs);
  const groups = await groupsOf(bench, settings);
  const rates = await ratesFor(bench, settings, groups, count);
  const points = rates[0]?.length ?? 0;
  const steps = Array.from({ length: points }, (_, at) =>
    points === 1 ? 0 : unit * Math.round((at * (count - 1)) / (points - 1)),
  );
  // By epochs the last rate holds until the end.
  if (!isByStep) {
    steps.push(count * unit);
    for (const line of rates) line.push(line.at(-1)!);
  }
  return { steps, rates };
}

async function ratesFor(
  bench: Workbench,
  settings: RunSettings,
  groups: readonly Dict[],
  count: number,
): Promise<number[][]> {
  const wanted = settings.scheduler;
  if (!wanted) return groups.map((group) => [Number(group.get('lr'))]);
  if (wanted.name !== 'checkpoint') return learningRateCurve(wanted, { groups }, count, POINTS);
  const { last } = bench.training;
  const { scheduler } = last
    ? stateOf(last, settings, bench.training.settings, false)
    : await stateOfFile(bench, settings, false);
  const recognised = scheduler && recogniseScheduler(scheduler, groups);
  if (!recognised) return groups.map((group) => [Number(group.get('lr'))]);
  return ratesOf(Scheduler.restore(recognised.name, scheduler, { groups }), count, POINTS);
}

/** param_groups as the run would have them, to be changed at will. */
async function groupsOf(bench: Workbench, { optimizer }: RunSettings): Promise<Dict[]> {
  const { Optimizer } = await import('#lib/optim/optimizer.ts');
  const copy = (group: Dict) => new Dict(group.entries(), group.type);
  if (optimizer.name !== 'checkpoint') {
    const fresh = Optimizer.fresh(optimizer, bench.parameters('trained'));
    fresh.dispose();
    return fresh.groups.map(copy);
  }
  const { found } = bench.savedOptimizer();
  const groups = (found?.saved.groups ?? []).map(({ options }) => copy(options));
  const { lr } = optimizer.options;
  const before = groups[0]?.get('lr');
  for (const group of groups.filter(isDict)) {
    if (typeof lr === 'number' && group.get('lr') === before) group.set('lr', lr);
  }
  return groups;
}
