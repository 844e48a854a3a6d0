/** Settings that a model, its checkpoint and the data suggest: what the page's form starts with. */
import type { SavedOptimizer } from '#lib/checkpoint/optimizer.ts';
import type { Dataset } from '#lib/inputs/data/dataset.ts';
import { recogniseScheduler } from '#lib/optim/schedulers/recognise.ts';
import { safeName } from '#lib/storage/safe_name.ts';
import type { Kept } from '#lib/training/kept.ts';
import type { LossName, LossSettings, RunSettings } from '#lib/training/settings.ts';
import { keptFrom, type KeptState } from './kept_state.ts';
import type { RunProposal } from './protocol.train.ts';
import { stepsPerEpoch } from './rates.ts';
import { dataGraph } from './run_session.ts';
import type { Workbench } from './workbench.ts';

/** What torch.optim's constructors take where nothing is said. */
const LEARNING_RATE = 0.001;
const BATCH_SIZE = 64;

export async function proposeRun(bench: Workbench, data: Dataset): Promise<RunProposal> {
  const [{ checkLoss, lossOutput, proposeLoss }, { metricsFor }] = await Promise.all([
    import('#lib/training/check_loss.ts'),
    import('#lib/training/metrics.ts'),
  ]);
  const graph = dataGraph(bench, data, 2, true);
  const output = graph.nodes[graph.outputs[lossOutput(graph)]!]!.shape;
  const likely = proposeLoss(data.target, graph);
  const fits = (loss: LossSettings) => {
    try {
      checkLoss(loss, data.target, output, 2);
      return true;
    } catch {
      return false;
    }
  };
  const others = plainLosses.filter((loss) => loss.name !== likely.name && fits(loss));
  const losses: LossName[] = [likely, ...others].map(({ name }) => name);
  const saved = bench.savedOptimizer();
  const optimizer = saved.found && {
    name: saved.found.name,
    states: saved.found.saved.states.size,
    groups: saved.found.saved.groups.length,
  };
  const batchSize = Math.min(BATCH_SIZE, data.train.count);
  const kept = bench.training.last ?? (await keptFrom(bench.checkpoint.root));
  const schedule = optimizer && scheduleOf(kept, saved.found!.saved);
  const settings: RunSettings = {
    name: nameFor(bench),
    epochs: 3,
    batchSize,
    accumulate: 1,
    seed: 0,
    optimizer: optimizer
      ? { name: 'checkpoint', options: {} }
      : { name: 'AdamW', options: { lr: LEARNING_RATE }, groups: [] },
    scheduler: schedule && { name: 'checkpoint', interval: schedule.interval },
    scaler: optimizer && kept.scaler ? 'checkpoint' : null,
    clip: null,
    ema: null,
    loss: likely,
    monitor: { metric: 'loss', mode: 'min' },
    earlyStopping: null,
    data: {
      validationShare: data.held ? 0 : 0.1,
      stratified: !data.held && data.train.classes !== null,
      augmentation: null,
    },
    keep: { every: 0, newest: 3, steps: 0 },
  };
  const isRun = 'run' in kept && kept.run !== null;
  return {
    settings,
    losses,
    metrics: metricsFor(data.target, likely.name),
    optimizer,
    optimizerNote: saved.note,
    scheduler: schedule && schedule.title,
    scaler: kept.scaler !== null,
    stepsPerEpoch: stepsPerEpoch(data, settings),
    resumes: isRun ? { epoch: kept.epoch, batch: kept.batch, best: kept.best } : null,
  };
}

/** The schedule of a state that its optimizer goes with; null where there is none that is known. */
function scheduleOf(
  kept: Kept | KeptState,
  { groups }: SavedOptimizer,
): { title: string; interval: 'step' | 'epoch' } | null {
  const { scheduler } = kept;
  const recognised = recogniseScheduler(
    scheduler ?? undefined,
    groups.map(({ options }) => options),
  );
  if (!scheduler || !recognised) return null;
  const steps = Number(scheduler.get('last_epoch') ?? 0);
  // What the lab wrote says it; of others, a schedule that is as old as the model goes by epochs.
  const told = 'settings' in kept ? kept.settings?.scheduler?.interval : undefined;
  const guess = steps === kept.epoch ? 'epoch' : 'step';
  const interval = told === 'step' || told === 'epoch' ? told : guess;
  return { title: `${recognised.name} at ${interval} ${steps}`, interval };
}

/** Every loss with torch's defaults. */
const plainLosses: readonly LossSettings[] = [
  { name: 'cross_entropy', labelSmoothing: 0, ignoreIndex: -100, classWeights: null },
  { name: 'nll_loss', ignoreIndex: -100, classWeights: null },
  { name: 'mse_loss' },
  { name: 'l1_loss' },
  { name: 'smooth_l1_loss', beta: 1 },
  { name: 'binary_cross_entropy_with_logits', posWeight: null },
  { name: 'binary_cross_entropy', posWeight: null },
];

/** Begins the names of the run's files: the checkpoint's, without what says which state it was. */
function nameFor({ checkpoint, module }: Workbench): string {
  const stem = checkpoint.name.replace(/\.[^.]+$/, '');
  const plain = stem.replace(/(^|_)(best|last|final|model)(_epoch\d+)?(_[a-z]+[\d.]+)?$/i, '');
  return safeName(plain || module.name.toLowerCase());
}
