/** Settings that a model, its checkpoint and the data suggest: what the page's form starts with. */
import type { Dataset } from '#lib/inputs/data/dataset.ts';
import type { LossName, LossSettings, RunSettings } from '#lib/training/settings.ts';
import type { RunProposal } from './protocol.train.ts';
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
  const settings: RunSettings = {
    name: nameFor(bench),
    epochs: 3,
    batchSize,
    accumulate: 1,
    seed: 0,
    optimizer: optimizer
      ? { name: 'checkpoint', options: {} }
      : { name: 'AdamW', options: { lr: LEARNING_RATE }, groups: [] },
    scheduler: null,
    scaler: null,
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
  return {
    settings,
    losses,
    metrics: metricsFor(data.target, likely.name),
    optimizer,
    optimizerNote: saved.note,
    scheduler: null,
    scaler: false,
    stepsPerEpoch: Math.ceil(data.train.count / batchSize),
    resumes: null,
  };
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
  return plain || module.name.toLowerCase();
}
