/**
 * From settings to a session: the model on the backend with its optimizer and schedule, the graphs,
 * the loss and the data, all of it checked before the first step.
 */
import type { Graph } from '#lib/architecture/graph.ts';
import { FindingError } from '#lib/checkpoint/finding.ts';
import type { OptimizerName } from '#lib/checkpoint/optimizer.ts';
import { Dict } from '#lib/checkpoint/value.ts';
import type { Dataset } from '#lib/inputs/data/dataset.ts';
import { splitData } from '#lib/inputs/data/split.ts';
import { withAugmentation } from '#lib/inputs/data/with_augmentation.ts';
import type { Ema } from '#lib/optim/ema.ts';
import type { GradScaler } from '#lib/optim/grad_scaler.ts';
import type { Optimizer } from '#lib/optim/optimizer.ts';
import type { Model } from '#lib/runtime/model.ts';
import { recogniseScheduler } from '#lib/optim/schedulers/recognise.ts';
import { Scheduler, type ParamGroups } from '#lib/optim/schedulers/scheduler.ts';
import type { Kept } from '#lib/training/kept.ts';
import type { Report, Session } from '#lib/training/session.ts';
import type { MetricName, RunSettings } from '#lib/training/settings.ts';
import { weightsOf, type RunState } from './run_state.ts';
import type { Pass } from './verify_pass.ts';
import type { Workbench } from './workbench.ts';

interface SessionOf {
  readonly settings: RunSettings;
  readonly data: Dataset;
  readonly state: RunState;
  /** The epoch to end with. */
  readonly end: number;
  readonly signal: AbortSignal;
  report(report: Report): void;
  keep?(kept: Kept): Promise<void>;
  /** Throws where the device failed: what was read from it since is not to be believed. */
  check(): void;
}

export interface RunSession {
  readonly session: Session;
  readonly optimizer: OptimizerName;
  /** Frees everything but the model. */
  dispose(): void;
}

/** Makes the session of a run. Throws a FindingError for what does not fit together. */
export async function makeSession(bench: Workbench, run: SessionOf): Promise<RunSession> {
  const { settings, state, signal } = run;
  const [{ Trainer }, { Session }, { checkLoss, lossOutput }, { metricsFor }, { resolveLoss }] =
    await Promise.all([
      import('#lib/training/trainer.ts'),
      import('#lib/training/session.ts'),
      import('#lib/training/check_loss.ts'),
      import('#lib/training/metrics.ts'),
      import('#lib/training/losses.ts'),
    ]);
  const data = withAugmentation(run.data, settings.data.augmentation);
  const { target } = data;
  const { batchSize, seed } = settings;
  const { train, validation } = splitData(data, { ...settings.data, seed });
  const graphFor = (count: number, training: boolean) => dataGraph(bench, data, count, training);
  // A model that does not fit says so now, also of the last batch, which may be shorter.
  for (const count of [batchSize, train.count % batchSize]) {
    if (count > 0) graphFor(Math.min(count, train.count), true);
  }
  const graph = graphFor(batchSize, true);
  const output = graph.nodes[graph.outputs[lossOutput(graph)]!]!.shape;
  checkLoss(settings.loss, target, output, batchSize);
  const metrics = metricsFor(target, settings.loss.name);
  checkMonitor(settings, metrics);
  const loss = resolveLoss(settings.loss, train.classes, output[1] ?? 1);

  const model = await bench.load(signal);
  model.seed = seed;
  model.step = state.start.epoch * Math.ceil(train.count / batchSize) + state.start.batch;
  const optimizer = await makeOptimizer(bench, run);
  const schedule = makeSchedule(run, optimizer);
  const scaler = await makeScaler(run);
  const ema = await makeEma(bench, run, model);
  const trainer = new Trainer({
    ...{ model, optimizer, loss, target, metrics, graphFor, batchSize },
    ...{ accumulate: settings.accumulate, clip: settings.clip, scaler, ema },
  });
  const session = new Session({
    ...{ trainer, metrics, schedule, train, validation, settings },
    start: state.start,
    end: run.end,
    rate: () => Number(optimizer.groups[0]?.get('lr') ?? 0),
    report: (report) => run.report(report),
    snapshot: async () => {
      const snapshot = {
        weights: await model.read(),
        ema: (await ema?.read(model)) ?? null,
        optimizer: await optimizer.stateDict(),
        scheduler: schedule?.stateDict() ?? null,
        scaler: scaler?.stateDict() ?? null,
      };
      run.check();
      return snapshot;
    },
    keep: run.keep,
  });
  return {
    session,
    optimizer: optimizer.name,
    dispose() {
      trainer.dispose();
      optimizer.dispose();
      ema?.dispose();
    },
  };
}

/** A pass in evaluation mode over the data's first example. */
export async function passOf(bench: Workbench, data: Dataset): Promise<Pass> {
  const { inputs } = await data.train.read([0]);
  const input = { values: inputs, shape: [1, ...data.input.shape] };
  return { graph: dataGraph(bench, data, 1, false), inputs: [input] };
}

/** The pass over `count` examples of the data. Throws a FindingError that names the line. */
export function dataGraph(
  bench: Workbench,
  { input: { dtype, shape } }: Dataset,
  count: number,
  training: boolean,
): Graph {
  const { inputs } = bench.module;
  if (inputs.length > 1) {
    throw new FindingError({
      code: 'training-inputs',
      message: `training: forward takes ${inputs.length} inputs (${inputs.join(', ')}), the data has one`,
      advice: 'Give the others a default in the source, or wrap the model in one that makes them.',
    });
  }
  return bench.graph([{ shape: [count, ...shape], dtype }], training);
}

function checkMonitor({ monitor, loss }: RunSettings, metrics: readonly MetricName[]): void {
  if (metrics.includes(monitor.metric)) return;
  throw new FindingError({
    code: 'training-settings',
    message: `training: there is no ${monitor.metric} of ${loss.name} on this data`,
    advice: `Go by one of ${metrics.join(', ')}.`,
  });
}

/** A fresh optimizer, or the one of the state that the run goes on from. */
async function makeOptimizer(
  bench: Workbench,
  { settings, state, signal }: SessionOf,
): Promise<Optimizer> {
  const { Optimizer } = await import('#lib/optim/optimizer.ts');
  const wanted = settings.optimizer;
  if (wanted.name !== 'checkpoint' && !state.isOwn) {
    return Optimizer.fresh(wanted, bench.parameters('trained'));
  }
  const { found, note } = bench.matchOptimizer(state.optimizer);
  if (!found) {
    throw new FindingError({
      code: 'optimizer-missing',
      message: `training: ${note ?? 'the checkpoint holds no optimizer state'}`,
      advice: 'Choose a fresh optimizer.',
    });
  }
  const optimizer = await Optimizer.restore(found.name, found.saved, found.keys, signal);
  if (!state.isOwn) optimizer.configure(wanted.options);
  return optimizer;
}

function makeSchedule({ settings, state }: SessionOf, optimizer: ParamGroups): Scheduler | null {
  const wanted = settings.scheduler;
  if (!wanted) return null;
  const saved = state.scheduler;
  if (wanted.name !== 'checkpoint') {
    const goesOn = state.isOwn && saved;
    return goesOn
      ? Scheduler.restore(wanted, saved, optimizer)
      : Scheduler.fresh(wanted, optimizer);
  }
  const recognised = saved && recogniseScheduler(saved, optimizer.groups);
  if (recognised) return Scheduler.restore(recognised.name, saved, optimizer);
  throw new FindingError({
    code: 'scheduler-missing',
    message: `training: ${saved ? 'the state of its schedule is none that torch.optim.lr_scheduler is known to write' : 'the checkpoint holds no schedule'}`,
    advice: 'Choose a fresh schedule, or none.',
  });
}

async function makeScaler({ settings, state }: SessionOf): Promise<GradScaler | null> {
  const wanted = settings.scaler;
  if (!wanted) return null;
  const { GradScaler } = await import('#lib/optim/grad_scaler.ts');
  if (state.scaler && (state.isOwn || wanted === 'checkpoint')) {
    return GradScaler.restore(state.scaler);
  }
  if (wanted !== 'checkpoint') return new GradScaler(wanted);
  throw new FindingError({
    code: 'scaler-missing',
    message: 'training: the checkpoint holds no state of a GradScaler',
    advice: 'Choose a fresh one, or none.',
  });
}

/** The average of the state that the run goes on from, or a fresh one. */
async function makeEma(
  bench: Workbench,
  { settings, state }: SessionOf,
  model: Model,
): Promise<Ema | null> {
  if (!settings.ema) return null;
  const { Ema } = await import('#lib/optim/ema.ts');
  const { decay } = settings.ema;
  if (!state.ema || !state.goesOn) return new Ema(decay);
  const weights = state.ema instanceof Dict ? await weightsOf(bench.module, state.ema) : state.ema;
  return weights ? Ema.restore(decay, model, weights) : new Ema(decay);
}
